import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { Duplex } from 'node:stream'
import type { DockerApi } from '../engine/docker.api.ts'
import { ToolFailure } from '../tools/tool-failure.ts'
import { LABEL } from '../tools/tool-labels.ts'
import { GATEWAY_SCRIPT, type GatewayPolicy } from './gateway.script.ts'
import { JoinedStreams } from './joined-streams.ts'
import { scriptContainer } from './script-container.ts'

/** The running gateway container and the line to it. */
export interface Gateway {
  /** Of the container. */
  readonly id: string
  /** Replaces what it allows. */
  apply(policy: GatewayPolicy, signal: AbortSignal): Promise<void>
  /** A byte stream to a server in a tool. Fails as a socket does when there is none. */
  connect(address: string, port: number): Duplex
  /** Resolves when the line is broken: the gateway, or Docker, has ended. */
  readonly closed: Promise<void>
  /** Leaves the container running. */
  close(): void
}

export interface GatewayDeps {
  readonly docker: DockerApi
  readonly owner: string
  /** Id of an image with Node. */
  readonly image: (signal: AbortSignal) => Promise<string>
  /** Addresses of the name servers to ask for hosts outside. Absent: those of the machine. */
  readonly nameServers?: readonly string[] | undefined
}

export const gatewayNameOf = (owner: string): string => `dtma-gateway-${owner.slice(0, 12)}`

const APPLY_MS = 10_000

/** Makes a new gateway in the place of whatever was left of the last one. @throws {ToolFailure | EngineError} */
export async function startGateway(deps: GatewayDeps, signal: AbortSignal): Promise<Gateway> {
  const { docker, owner } = deps
  await removeGateway(deps, signal)
  const name = gatewayNameOf(owner)
  const image = await deps.image(signal)
  // The one network of Docker's that leads out, with the machine's name servers.
  const { nameServers } = deps
  const body = scriptContainer({ image, owner, network: 'bridge', script: GATEWAY_SCRIPT, nameServers })
  const id = await docker.createContainer(name, body, signal)
  const attached = await docker.attachContainer(id, { stderr: false }, signal)
  attached.stderr.resume()
  try {
    await docker.startContainer(id, signal)
    const session = connectHttp2('http://gateway', {
      createConnection: () => new JoinedStreams(attached.stdout, attached.stdin),
      settings: { initialWindowSize: 4 << 20 },
    })
    const closed = new Promise<void>((resolve) => session.once('close', resolve))
    session.on('error', () => session.destroy())
    void closed.then(() => attached.close())
    const close = () => session.destroy()
    // Its answer says that it has read what it must before it joins a network.
    await apply(session, { routes: [], refused: [] }, signal)
    return { id, closed, close, apply: (policy, signal) => apply(session, policy, signal), connect: relay(session) }
  } catch (error) {
    attached.close()
    throw error
  }
}

/** @throws {ToolFailure} `name_conflict` when a container of this name is somebody else's. */
export async function removeGateway({ docker, owner }: GatewayDeps, signal: AbortSignal): Promise<void> {
  const name = gatewayNameOf(owner)
  const container = await docker.inspectContainer(name, signal)
  if (!container) return
  if (container.Config.Labels[LABEL.owner] !== owner)
    throw new ToolFailure('name_conflict', `A container named ${name} exists that is not ours`)
  await docker.removeContainer(container.Id, signal)
}

function apply(session: ClientHttp2Session, policy: GatewayPolicy, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const limit = AbortSignal.any([signal, AbortSignal.timeout(APPLY_MS)])
  const request = session.request({ ':method': 'PUT', ':path': '/policy' }, { signal: limit })
  request.once('response', ({ ':status': status }) =>
    status === 204 ? resolve() : reject(new Error(`The gateway refused its policy (${status})`)),
  )
  request.on('error', reject)
  request.once('close', () => reject(new Error('The gateway is gone')))
  request.resume().end(JSON.stringify(policy))
  return promise
}

const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

/** A stream over the line, with the few methods beside a stream's own that HTTP clients call on a socket. */
const relay =
  (session: ClientHttp2Session) =>
  (address: string, port: number): Duplex => {
    if (session.destroyed || session.closed) {
      const dead = new Duplex()
      return dead.destroy(refused())
    }
    const stream = session.request({ ':method': 'CONNECT', ':authority': `${address}:${port}` })
    stream.once('response', ({ ':status': status }) => {
      if (status !== 200) stream.destroy(refused())
    })
    // As a socket does: when the server closes, so do we, or a pool of connections would keep a dead one.
    stream.once('end', () => stream.end())
    const itself = () => stream
    return Object.assign(stream, { setKeepAlive: itself, setNoDelay: itself, ref: itself, unref: itself })
  }
