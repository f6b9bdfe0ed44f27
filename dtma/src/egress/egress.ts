import type { Socket } from 'node:net'
import { aborted } from '../aborted.ts'
import type { Egress as Allowed } from '../contract/tool.ts'
import { createTurn } from '../in-turn.ts'
import type { Log } from '../log.ts'
import { GATEWAY_HOST } from '../tools/create-body.ts'
import { ToolFailure } from '../tools/tool-failure.ts'
import type { Route } from './gateway.script.ts'
import { type Gateway, type GatewayDeps, removeGateway, startGateway } from './gateway.ts'

/** The one door of all tools that have a network: what they may reach goes through it, and so do we to reach them. */
export interface Egress {
  /**
   * Makes the gateway the neighbour of a tool's network, and lets through what is declared. Resolves at once when it is so.
   * @throws {ToolFailure | EngineError}
   */
  join(network: string, allowed: Allowed, signal: AbortSignal): Promise<void>
  /** The network is about to be removed. The last one takes the gateway with it. */
  leave(network: string, signal: AbortSignal): Promise<void>
  /** A connection to the server at this address on a network that was joined. Rejects as a socket's does. */
  connect(address: string, port: number): Promise<Socket>
  /** Networks that are joined, with the gateway's address on each. */
  readonly routes: ReadonlyMap<string, Route>
  readonly stopped: Promise<void>
}

export interface EgressDeps extends GatewayDeps {
  readonly log: Log
  /** Addresses of this toolbox, which are not the outside although they may be public. */
  readonly hostAddresses: (signal: AbortSignal) => Promise<readonly string[]>
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** There is another gateway than before. */
  readonly onGateway?: () => void
  readonly signal: AbortSignal
}

/** Gateway, what it serves now, and the addresses that it refuses. */
interface Running {
  readonly gateway: Gateway
  readonly refused: readonly string[]
  readonly routes: Map<string, Route>
}

const RETRY_MS = 1_000
const LONGEST_RETRY_MS = 60_000
const RESTORE_MS = 60_000

export function startEgress(deps: EgressDeps): Egress {
  const { docker, log, signal } = deps
  const wanted = new Map<string, Allowed>()
  let running: Running | undefined
  let failures = 0
  /** One change at a time: each sends the whole policy. */
  const turn = createTurn()

  async function started(limit: AbortSignal): Promise<Running> {
    if (running) return running
    const refused = await deps.hostAddresses(limit)
    const gateway = await startGateway(deps, limit)
    const mine: Running = { gateway, refused, routes: new Map() }
    running = mine
    failures = 0
    deps.onGateway?.()
    void gateway.closed.then(() => {
      if (running !== mine) return
      running = undefined
      if (signal.aborted) return
      log.warn('the gateway of the tools has ended; it is made anew')
      void restore()
    })
    return mine
  }

  /** After the gateway has ended: everybody who had joined finds it again, without asking. */
  async function restore(): Promise<void> {
    while (!signal.aborted && wanted.size > 0) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(RESTORE_MS)])
      try {
        for (const [network, allowed] of wanted) await turn.take(() => settle(network, allowed, limit))
        return
      } catch (error) {
        if (signal.aborted) return
        log.warn('the gateway of the tools cannot be made', { error })
        await deps.sleep(Math.min(RETRY_MS * 2 ** failures++, LONGEST_RETRY_MS), signal)
      }
    }
  }

  async function settle(network: string, allowed: Allowed, limit: AbortSignal): Promise<void> {
    if (wanted.get(network) !== allowed) return // somebody else has changed it since
    const { gateway, routes, refused } = await started(limit)
    const known = routes.get(network)
    const found = await docker.inspectNetwork(network, limit)
    if (!found) return
    const joinedAlready = found.Containers[gateway.id] !== undefined
    if (joinedAlready && known && same(known.allow, allowed)) return
    if (joinedAlready) await docker.disconnectNetwork(found.Id, gateway.id, limit)
    await docker.connectNetwork(found.Id, gateway.id, namesOf(allowed), limit)
    const joined = await docker.inspectNetwork(found.Id, limit)
    const address = joined?.Containers[gateway.id]?.IPv4Address.split('/')[0]
    const subnet = joined?.IPAM.Config[0]?.Subnet
    if (!address || !subnet) throw new ToolFailure('internal', 'The gateway has no address on the network of the tool')
    routes.set(network, { address, subnet, allow: allowed === 'none' ? [] : allowed })
    await gateway.apply({ routes: [...routes.values()], refused }, limit)
  }

  async function forget(network: string, limit: AbortSignal): Promise<void> {
    wanted.delete(network)
    if (running) {
      const { gateway, routes, refused } = running
      const found = await docker.inspectNetwork(network, limit)
      if (found?.Containers[gateway.id] !== undefined) await docker.disconnectNetwork(found.Id, gateway.id, limit)
      routes.delete(network)
      if (wanted.size > 0) return gateway.apply({ routes: [...routes.values()], refused }, limit)
      running = undefined
      gateway.close()
    }
    if (wanted.size === 0) await removeGateway(deps, limit)
  }

  const stopped = aborted(signal).then(async () => {
    await turn.over
    running?.gateway.close() // the container goes on, and serves the tools until we are back
  })

  return {
    get routes() {
      return running?.routes ?? new Map()
    },
    join(network, allowed, limit) {
      wanted.set(network, allowed)
      return turn.take(() => settle(network, allowed, limit))
    },
    leave: (network, limit) => turn.take(() => forget(network, limit)),
    async connect(address, port) {
      if (!running) throw Object.assign(new Error('The gateway is away'), { code: 'ECONNREFUSED' })
      return running.gateway.connect(address, port)
    },
    stopped,
  }
}

/** By these names a tool finds the gateway: its own, and those of the hosts that it stands for. */
function namesOf(allowed: Allowed): readonly string[] {
  if (typeof allowed === 'string') return [GATEWAY_HOST]
  return [GATEWAY_HOST, ...new Set(allowed.map(({ host }) => host))]
}

const same = (route: Route['allow'], allowed: Allowed): boolean =>
  JSON.stringify(route) === JSON.stringify(allowed === 'none' ? [] : allowed)
