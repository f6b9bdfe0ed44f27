import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TUNNEL_BEATS_PROTOCOL, TUNNEL_PATH, TUNNEL_PROTOCOL } from '@agentopia/dtma/contract'
import { SESSION_WINDOW } from '@agentopia/dtma/tunnel'
import { WebSocketServer } from 'ws'
import { RateLimited } from '../../http/rate-limited.ts'
import type { Log } from '../../log.ts'
import type { Turns } from '../turns.ts'
import type { Tunnels } from './tunnels.ts'

export interface TunnelDoorDeps {
  /** Whose credential this is; `undefined` for nobody's. */
  readonly authenticate: (token: string) => Promise<{ readonly toolboxId: string } | undefined>
  readonly tunnels: Tunnels
  readonly turns: Turns
  readonly log: Log
}

/** Handles `upgrade` of an HTTP server: lets DTMAs in, and nobody else. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export function createTunnelDoor({ authenticate, tunnels, turns, log }: TunnelDoorDeps): UpgradeListener {
  const door = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: SESSION_WINDOW,
    handleProtocols: (offered) => [TUNNEL_BEATS_PROTOCOL, TUNNEL_PROTOCOL].find((one) => offered.has(one)) ?? false,
  })

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (request.url !== TUNNEL_PATH) return refuse(socket, '404 Not Found')
    const token = /^Bearer (\S{16,256})$/.exec(request.headers.authorization ?? '')?.[1]
    const dtma = token && (await turns.take('tunnel', () => authenticate(token)))
    if (!dtma) return refuse(socket, '401 Unauthorized')
    door.handleUpgrade(request, socket, head, (ws) => tunnels.adopt(dtma.toolboxId, ws))
  }

  return (request, socket, head) => {
    // For as long as the socket lives, also after a refusal: an error that nobody hears would end the process.
    socket.on('error', () => void socket.destroy())
    admit(request, socket, head).catch((err: unknown) => {
      if (!(err instanceof RateLimited)) log.error({ err }, 'tunnel was not admitted')
      refuse(socket, '503 Service Unavailable')
    })
  }
}

const refuse = (socket: Duplex, status: string): void =>
  void socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
