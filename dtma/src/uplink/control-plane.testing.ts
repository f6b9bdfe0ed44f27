import { createPublicKey, verify } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  type enrol,
  type heartbeat,
  type Input,
  ProblemError,
  type Reply,
  type renew,
  renewalText,
} from '../contract/index.ts'
import type { Log } from '../log.ts'

type Renewal = Input<typeof renew>['body']
type Enrolment = Input<typeof enrol>['body']
type Beat = Input<typeof heartbeat>['body']

/** As much of a control plane as DTMA sees, in this process. */
export interface FakeControlPlane {
  readonly baseUrl: string
  /** Tokens that may be traded. */
  readonly tokens: Set<string>
  /** The bearer token that counts; made anew with each enrolment. */
  bearer: string
  readonly beats: Beat[]
  readonly enrolments: Enrolment[]
  readonly renewals: Renewal[]
  /** What a renewal is answered with; absent: there is none here. */
  renewing: (() => Reply<typeof renew> | 'lost') | undefined
  readonly tunnels: WebSocket[]
  /** Answers the next requests instead of what is proper. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  reply: Reply<typeof heartbeat>
  /** What enrolment says that releases are signed with. */
  releaseKey: string | undefined
  /** Archives that are given out, by what `/dtma/image/` is followed by. */
  readonly archives: Map<string, Buffer>
  close(): Promise<void>
}

export async function fakeControlPlane(): Promise<FakeControlPlane> {
  const door = new WebSocketServer({ noServer: true })
  const server = createServer((request, response) => void serve(request, response))
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {}) // DTMA went away first
    if (request.headers.authorization !== `Bearer ${plane.bearer}`) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    door.handleUpgrade(request, socket, head, (ws) => plane.tunnels.push(ws))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const plane: FakeControlPlane = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens: new Set(),
    bearer: 'nobody has this one',
    beats: [],
    enrolments: [],
    renewals: [],
    renewing: undefined,
    tunnels: [],
    instead: undefined,
    reply: { nextInSeconds: 10, wantReport: false },
    releaseKey: undefined,
    archives: new Map(),
    close: () =>
      new Promise((resolve) => {
        for (const ws of plane.tunnels) ws.terminate()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += chunk
    if (plane.instead) return plane.instead(request, response)
    const archive = plane.archives.get(request.url?.replace('/dtma/image/', '') ?? '')
    if (archive) return void response.writeHead(200, { 'content-length': archive.length }).end(archive)
    if (request.url === '/dtma/enrol') return enrolled(JSON.parse(text) as Enrolment, response)
    if (request.url?.match(/challenge|renew/) && !plane.renewing) return refuse(response, 404, 'not-found')
    if (request.url === '/dtma/challenge')
      return answer(response, 200, { challenge: `challenge-${plane.renewals.length}` })
    if (request.url === '/dtma/renew') return renewed(JSON.parse(text) as Renewal, response)
    if (request.headers.authorization !== `Bearer ${plane.bearer}`) return refuse(response, 401, 'unauthenticated')
    if (request.url !== '/dtma/heartbeat') return refuse(response, 404, 'not-found')
    plane.beats.push(JSON.parse(text) as Beat)
    answer(response, 200, plane.reply)
  }

  function enrolled(body: Enrolment, response: ServerResponse): void {
    plane.enrolments.push(body)
    const { toolboxId, token, publicKey, signature } = body
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    const proved = verify(null, Buffer.from(`enrol:${toolboxId}:${token}`), key, Buffer.from(signature, 'base64'))
    if (!proved || !plane.tokens.has(token)) {
      refuse(response, 401, 'enrolment-refused')
      return
    }
    const epoch = plane.enrolments.length
    plane.bearer = `bearer-of-epoch-${epoch}`
    const backendToDtmaApiKey = `api-key-of-epoch-${epoch}`
    const { releaseKey } = plane
    const credentials = { toolboxId, epoch, dtmaBearerToken: plane.bearer, backendToDtmaApiKey }
    answer(response, 201, { ...credentials, ...(releaseKey ? { releaseKey } : {}) })
  }

  function renewed(body: Renewal, response: ServerResponse): void {
    plane.renewals.push(body)
    const { signature, ...said } = body
    const { publicKey } = plane.enrolments.at(-1)!
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    const proved = verify(null, Buffer.from(renewalText(said)), key, Buffer.from(signature, 'base64'))
    const reply = plane.renewing!()
    if (!proved) refuse(response, 401, 'renewal-refused')
    else if (reply === 'lost') response.destroy()
    else {
      plane.bearer = reply.dtmaBearerToken
      answer(response, 200, reply)
    }
  }

  return plane
}

export function refuse(response: ServerResponse, status: number, code: string): void {
  const kind = { status, title: code, retryable: status >= 500, fix: 'None.' }
  answer(response, status, new ProblemError(code, kind, `${code}, said the test`).toDocument('x'))
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** A log that remembers. */
export function memoryLog(): Log & { readonly said: string[] } {
  const said: string[] = []
  const say = (message: string, fields: object = {}) => void said.push(`${message} ${JSON.stringify(fields)}`)
  return { said, debug: say, info: say, warn: say, error: say, lines: () => said, redact() {} }
}
