// npm run bench:soak -- [many]: whether a control plane grows while toolboxes beat for six hours. For them time passes faster
// (fleet-members.ts); the control plane does what they ask of it in that time. Needs `npm run build`.
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startProduct } from '@agentopia/e2e/product'
import { residentMibOf } from './process.ts'
import { allActive, command, HEARTBEAT_MS, invited, recruiter, statuses } from './recruits.ts'
import { rounded } from './report.ts'
import { run } from './run.ts'

const HOURS = 6
const SPEED = 24
const SAMPLES = 45
/** What a process takes at first it keeps, as code that was compiled and connections that stay: growth is told without it. */
const FIRST_OF = 0.2
const COMMANDS_EVERY_MS = 100

interface Sample {
  /** For the toolboxes. */
  readonly hours: number
  readonly residentMib: number
  /** What is in use after everything that is not was taken away. */
  readonly heapMib: number
  readonly files: number
}

/** The debugger of a process that listens for it: collects its garbage, and reads its heap. */
async function openDebugger(port: number) {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(target!.webSocketDebuggerUrl)
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
  let last = 0
  const ask = (method: string, params: object = {}) =>
    new Promise<Record<string, unknown>>((resolve) => {
      const id = ++last
      const hear = ({ data }: MessageEvent) => {
        const answer = JSON.parse(String(data)) as { id?: number; result: Record<string, unknown> }
        if (answer.id !== id) return
        socket.removeEventListener('message', hear)
        resolve(answer.result)
      }
      socket.addEventListener('message', hear)
      socket.send(JSON.stringify({ id, method, params }))
    })
  return {
    async heapMib(): Promise<number> {
      await ask('HeapProfiler.collectGarbage')
      return Number((await ask('Runtime.getHeapUsage'))['usedSize']) / 2 ** 20
    },
    close: () => socket.close(),
  }
}

/** Of the line through the samples that is nearest to all. */
function growthAnHour(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [hours, value] = [mean(samples.map((sample) => sample.hours)), mean(samples.map(of))]
  const along = samples.map((sample) => (sample.hours - hours) * (of(sample) - value))
  const square = samples.map((sample) => (sample.hours - hours) ** 2)
  return mean(along) / mean(square)
}

await run(500, async (bench) => {
  const { rounds: many, signal } = bench
  const port = await freePort()
  const product = await startProduct({
    LOCAL_TOOLBOX: 'off',
    MAX_TOOLBOXES: String(many),
    NODE_OPTIONS: `--inspect=127.0.0.1:${port}`,
  })
  bench.cleanUp(() => product[Symbol.asyncDispose]())
  const members = await invited(product, many, signal)
  recruiter(bench, product, SPEED)(members)
  await allActive(product, many, signal)
  const debug = await openDebugger(port)
  bench.cleanUp(debug.close)

  const samples: Sample[] = []
  const begun = performance.now()
  const hoursOf = () => ((performance.now() - begun) * SPEED) / 3_600_000
  let commands = 0
  const commanding = (async () => {
    while (hoursOf() < HOURS && !signal.aborted) {
      await command(product, members[commands % many]!)
      commands += 1
      await sleep(COMMANDS_EVERY_MS)
    }
  })()
  const sampling = (async () => {
    while (hoursOf() < HOURS) {
      await sleep((HOURS * 3_600_000) / SPEED / SAMPLES, undefined, { signal })
      const heapMib = await debug.heapMib()
      const files = readdirSync(`/proc/${product.pid}/fd`).length
      samples.push({ hours: hoursOf(), residentMib: residentMibOf(product.pid), heapMib, files })
    }
  })()
  await Promise.all([commanding, sampling])

  const kept = samples.slice(Math.ceil(samples.length * FIRST_OF))
  const [first, last] = [kept[0]!, kept.at(-1)!]
  return [
    {
      title: `${many} toolboxes for ${HOURS} hours, which are ${(HOURS * 60) / SPEED} minutes here`,
      rows: Object.entries({
        'heartbeats, about': rounded((many * HOURS * 3_600_000) / HEARTBEAT_MS),
        'refreshes of a status': commands,
        'heap in use, first, MiB': rounded(first.heapMib, 1),
        'heap in use, last, MiB': rounded(last.heapMib, 1),
        'heap in use, growth an hour, MiB': rounded(
          growthAnHour(kept, ({ heapMib }) => heapMib),
          2,
        ),
        'resident, first, MiB': rounded(first.residentMib, 1),
        'resident, last, MiB': rounded(last.residentMib, 1),
        'resident, growth an hour, MiB': rounded(
          growthAnHour(kept, (sample) => sample.residentMib),
          2,
        ),
        'open files, first': first.files,
        'open files, last': last.files,
        'active in the end': (await statuses(product))['active'] ?? 0,
      }).map(([what, value]) => ({ what, value })),
    },
  ]
})
