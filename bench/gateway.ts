// npm run bench:gateway: what the way of a call costs, against the server itself, a bare pipe and other gateways. Needs `npm run build`.
import { readFileSync } from 'node:fs'
import { startProduct } from '@agentopia/e2e/product'
import { load, openWire, type Window, type Wire } from './load.ts'
import { openPeers, type Target, wholeWay } from './targets.ts'

const ROUNDS = Number(process.argv[2] ?? 7)
const WARM_UP_MS = 300
const WINDOW_MS = 1_000
const IN_FLIGHT = [1, 16, 64] as const
/** Sessions that clients keep open at each target. */
const SESSIONS = 4
const VERSION = '2025-11-25'

interface Measured extends Window {
  /** Microseconds of CPU a call, by process of the hop. */
  readonly cpu: Readonly<Record<string, number>>
}

/** The session that further requests name; `undefined` where none is given. */
async function sessionOf(target: Target): Promise<Record<string, string>> {
  const wire = await openWire(target.endpoint)
  const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: 'bench', version: '1' } }
  const { status, headers, body } = await wire.post(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  )
  wire.close()
  if (status !== 200) throw new Error(`${target.name} does not shake hands: ${status} ${body.slice(0, 200)}`)
  const id = /\r\nmcp-session-id: (\S+)/.exec(headers)?.[1]
  const named = { 'mcp-protocol-version': VERSION, ...(id === undefined ? {} : { 'mcp-session-id': id }) }
  const greeting = await openWire({ ...target.endpoint, headers: { ...target.endpoint.headers, ...named } })
  await greeting.post('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  greeting.close()
  return named
}

async function wiresTo(target: Target): Promise<Wire[]> {
  const sessions: Record<string, string>[] = []
  for (let n = 0; n < SESSIONS; n += 1) sessions.push(await sessionOf(target))
  return Promise.all(
    Array.from({ length: IN_FLIGHT.at(-1)! }, (_, slot) =>
      openWire({ ...target.endpoint, headers: { ...target.endpoint.headers, ...sessions[slot % SESSIONS] } }),
    ),
  )
}

const TICK_US = 10_000
/** CPU of a process, in microseconds; of what Docker's init started, when it is that. */
function cpuOf(pid: number): number {
  const [, after = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = after.split(' ')
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  const isInit = readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'docker-init'
  const own = (Number(fields[11]) + Number(fields[12])) * TICK_US
  return isInit ? children.reduce((sum, child) => sum + cpuOf(Number(child)), own) : own
}

async function measure({ endpoint, hop }: Target, wires: readonly Wire[]): Promise<Measured> {
  await load(wires, endpoint.echo, WARM_UP_MS)
  const before = Object.entries(hop).map(([name, pid]) => [name, pid, cpuOf(pid)] as const)
  const window = await load(wires, endpoint.echo, WINDOW_MS)
  const cpu = Object.fromEntries(before.map(([name, pid, used]) => [name, (cpuOf(pid) - used) / window.calls]))
  return { ...window, cpu }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
const percentile = ({ latencies }: Window, share: number) => latencies[Math.floor((latencies.length - 1) * share)]!
const rate = ({ calls, seconds }: Window) => calls / seconds

async function run(): Promise<void> {
  await using peers = await openPeers()
  await using product = await startProduct()
  const direct = await peers.direct()
  const pipe = await peers.pipe(direct)
  const targets = [direct, pipe, ...(await wholeWay(product)), ...(await peers.peers())]
  const wires = new Map<Target, Wire[]>()
  for (const target of targets) wires.set(target, await wiresTo(target))

  const found = new Map(targets.map((target) => [target, new Map<number, Measured[]>(IN_FLIGHT.map((n) => [n, []]))]))
  for (let round = 0; round < ROUNDS; round += 1)
    for (const inFlight of IN_FLIGHT)
      for (const target of shuffled(targets))
        found
          .get(target)!
          .get(inFlight)!
          .push(await measure(target, wires.get(target)!.slice(0, inFlight)))
  for (const each of wires.values()) for (const wire of each) wire.close()

  for (const inFlight of IN_FLIGHT) {
    console.log(`\n${inFlight} in flight, medians of ${ROUNDS} windows; ratios of windows of the same round`)
    console.table(
      targets.map((target) => {
        const mine = found.get(target)!.get(inFlight)!
        const ratioTo = (other: Target, of: (window: Window) => number) =>
          median(mine.map((window, n) => of(window) / of(found.get(other)!.get(inFlight)![n]!))).toFixed(2)
        return {
          target: target.name,
          upstream: target.upstream,
          'p50 ms': median(mine.map((window) => percentile(window, 0.5))).toFixed(2),
          'p99 ms': median(mine.map((window) => percentile(window, 0.99))).toFixed(2),
          'calls/s': Math.round(median(mine.map(rate))),
          'p50 x server': ratioTo(direct, (window) => percentile(window, 0.5)),
          'rate x server': ratioTo(direct, rate),
          'rate x pipe': ratioTo(pipe, rate),
          'CPU us/call': Object.keys(target.hop)
            .map((name) => `${name} ${Math.round(median(mine.map(({ cpu }) => cpu[name]!)))}`)
            .join(', '),
        }
      }),
    )
  }
}

/** In another order each time: whatever else the machine does hits no target more than another. */
const shuffled = <Each>(list: readonly Each[]): Each[] =>
  list
    .map((each) => [Math.random(), each] as const)
    .sort(([a], [b]) => a - b)
    .map(([, each]) => each)

await run()
