import { readFileSync } from 'node:fs'
import { load, openWire, type Window, type Wire } from './load.ts'
import { childrenOf, cpuUsOf } from './process.ts'
import { median, medianOfPairs, percentile, rounded, type Table } from './report.ts'
import { interleaved, type Run } from './run.ts'
import { INITIALIZE, INITIALIZED, MCP_VERSION } from './server.ts'
import { openSseWire } from './sse-wire.ts'
import type { Target } from './targets.ts'

const WARM_UP_MS = 300
const WINDOW_MS = 1_000
const IN_FLIGHT = [1, 16, 64] as const
/** Sessions that clients keep open at each target. */
const SESSIONS = 4

interface Measured extends Window {
  /** Microseconds of CPU a call, by process of the hop. */
  readonly cpu: Readonly<Record<string, number>>
}

/** What the rate of each target is compared with, by the name of the column. */
export type Floors = Readonly<Record<string, (target: Target) => Target>>

/**
 * Calls of one capability at every target, in windows that are interleaved, each round in another order. Every answer is checked.
 * @param first The server itself, which latencies are compared with.
 */
export async function compare(bench: Run, targets: readonly Target[], first: Target, floors: Floors): Promise<Table[]> {
  const wires = new Map<Target, readonly Wire[]>()
  for (const target of targets) {
    bench.signal.throwIfAborted()
    const opened = await wiresTo(target)
    bench.cleanUp(() => opened.forEach((wire) => void wire.close()))
    wires.set(target, opened)
  }
  const windows = targets.flatMap((target) =>
    IN_FLIGHT.map((inFlight) => ({ target, inFlight, found: [] as Measured[] })),
  )
  await interleaved(bench, windows, async ({ target, inFlight, found }) => {
    found.push(await measure(target, wires.get(target)!.slice(0, inFlight)))
  })
  const foundOf = (target: Target, inFlight: number) =>
    windows.find((window) => window.target === target && window.inFlight === inFlight)!.found

  return IN_FLIGHT.map((inFlight) => ({
    title: `${inFlight} in flight, medians of ${bench.rounds} windows; ratios of windows of the same round`,
    rows: targets.map((target) => {
      const mine = foundOf(target, inFlight)
      const ratioTo = (other: Target, of: (window: Window) => number) =>
        rounded(
          medianOfPairs(mine.map(of), foundOf(other, inFlight).map(of), (a, b) => a / b),
          2,
        )
      return {
        target: target.name,
        upstream: target.upstream,
        'p50 ms': rounded(median(mine.map(p50)), 2),
        'p99 ms': rounded(median(mine.map(p99)), 2),
        'calls/s': rounded(median(mine.map(rate))),
        'p50 x server': ratioTo(first, p50),
        'rate x server': ratioTo(first, rate),
        ...Object.fromEntries(
          Object.entries(floors).map(([name, floorOf]) => [`rate x ${name}`, ratioTo(floorOf(target), rate)]),
        ),
        'CPU us/call': Object.keys(target.hop)
          .map((name) => `${name} ${Math.round(median(mine.map(({ cpu }) => cpu[name]!)))}`)
          .join(', '),
      }
    }),
  }))
}

const p50 = ({ latencies }: Window) => percentile(latencies, 0.5)
const p99 = ({ latencies }: Window) => percentile(latencies, 0.99)
const rate = ({ calls, seconds }: Window) => calls / seconds

async function measure({ endpoint, hop }: Target, wires: readonly Wire[]): Promise<Measured> {
  await load(wires, endpoint.echo, WARM_UP_MS)
  const before = Object.entries(hop).map(([name, pid]) => [name, pid, cpuOf(pid)] as const)
  const window = await load(wires, endpoint.echo, WINDOW_MS)
  const cpu = Object.fromEntries(before.map(([name, pid, used]) => [name, (cpuOf(pid) - used) / window.calls]))
  return { ...window, cpu }
}

async function wiresTo(target: Target): Promise<Wire[]> {
  const { endpoint } = target
  if (endpoint.transport === 'sse')
    return Promise.all(Array.from({ length: IN_FLIGHT.at(-1)! }, () => sseWireTo(target)))
  const sessions: Record<string, string>[] = []
  for (let n = 0; n < SESSIONS; n += 1) sessions.push(await sessionOf(target))
  return Promise.all(
    Array.from({ length: IN_FLIGHT.at(-1)! }, (_, slot) =>
      openWire({ ...endpoint, headers: { ...endpoint.headers, ...sessions[slot % SESSIONS] } }),
    ),
  )
}

/** The session that further requests name; `undefined` where none is given. */
async function sessionOf(target: Target): Promise<Record<string, string>> {
  const wire = await openWire(target.endpoint)
  const { status, headers, body } = await wire.post(INITIALIZE)
  wire.close()
  if (status !== 200) throw new Error(`${target.name} does not shake hands: ${status} ${body.slice(0, 200)}`)
  const id = /\r\nmcp-session-id: (\S+)/.exec(headers)?.[1]
  const named = { 'mcp-protocol-version': MCP_VERSION, ...(id === undefined ? {} : { 'mcp-session-id': id }) }
  const greeting = await openWire({ ...target.endpoint, headers: { ...target.endpoint.headers, ...named } })
  await greeting.post(INITIALIZED)
  greeting.close()
  return named
}

/** With this transport the connection is the session. */
async function sseWireTo({ endpoint }: Target): Promise<Wire> {
  const wire = await openSseWire(endpoint)
  await wire.post(INITIALIZE)
  await wire.notify(INITIALIZED)
  return wire
}

/** In microseconds; of what Docker's init started, when it is that. */
function cpuOf(pid: number): number {
  const isInit = readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'docker-init'
  return cpuUsOf(pid) + (isInit ? childrenOf(pid).reduce((sum, child) => sum + cpuOf(child), 0) : 0)
}
