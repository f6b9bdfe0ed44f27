// npm run bench:fleet -- [many]: what one control plane needs for so many toolboxes, how fast it commands them, and how fast it
// notices those that fall silent. They are DTMAs without a machine (fleet-members.ts). Needs `npm run build`.
import { setTimeout as sleep } from 'node:timers/promises'
import { getToolbox } from '@agentopia/api'
import { type Product, startProduct, waitFor } from '@agentopia/e2e/product'
import type { Member } from './member.ts'
import { usageOf } from './process.ts'
import { allActive, command, HEARTBEAT_MS, invited, recruiter, statuses } from './recruits.ts'
import { percentile, rounded } from './report.ts'
import { run } from './run.ts'

/** So many of all lose their network at once: far fewer than what the control plane would take for a fault of its own. */
const CUT_OFF_SHARE = 0.02
const STEADY_MS = 60_000
const COMMANDS_MS = 20_000
const COMMANDERS = 4
/** What V8 takes by itself on a machine of 2 GiB; with more memory it lets garbage lie. */
const NODE_OPTIONS = '--max-old-space-size=1024'

/** Commands, one after another from a few callers. @returns Milliseconds each. */
async function commands(product: Product, members: readonly Member[]): Promise<number[]> {
  const took: number[] = []
  const until = performance.now() + COMMANDS_MS
  const work = async () => {
    while (performance.now() < until) {
      const begun = performance.now()
      await command(product, members[Math.floor(Math.random() * members.length)]!)
      took.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: COMMANDERS }, work))
  return took.sort((a, b) => a - b)
}

/** @returns Seconds after the cut until each was told to be unresponsive, ascending. */
const noticed = async ({ client }: Product, members: readonly Member[], cutAt: number): Promise<number[]> =>
  (
    await Promise.all(
      members.map(({ toolboxId }) =>
        waitFor(`${toolboxId} was never missed`, 120_000, async () => {
          await sleep(1_000)
          const { status } = await client.call(getToolbox, { params: { toolboxId } })
          return status === 'unresponsive' ? (performance.now() - cutAt) / 1_000 : undefined
        }),
      ),
    )
  ).sort((a, b) => a - b)

await run(1_000, async (bench) => {
  const { rounds: many, signal } = bench
  const product = await startProduct({ LOCAL_TOOLBOX: 'off', MAX_TOOLBOXES: String(many), NODE_OPTIONS })
  bench.cleanUp(() => product[Symbol.asyncDispose]())
  const start = recruiter(bench, product)
  const empty = usageOf(product.pid)
  const members = await invited(product, many, signal)
  const lost = members.slice(0, Math.ceil(many * CUT_OFF_SHARE))
  const others = members.slice(lost.length)
  const begun = performance.now()
  const cut = start(lost)
  start(others)
  await allActive(product, many, signal)
  const activeAfter = (performance.now() - begun) / 1_000

  const before = usageOf(product.pid)
  await sleep(STEADY_MS, undefined, { signal })
  const after = usageOf(product.pid)
  const cpu = (after.cpuMs - before.cpuMs) / STEADY_MS
  const took = await commands(product, others)
  const beats = (many * STEADY_MS) / HEARTBEAT_MS

  cut.kill('SIGSTOP')
  const seconds = await noticed(product, lost, performance.now())
  const now = await statuses(product)
  return [
    {
      title: `${many} toolboxes, ${lost.length} of which are cut off in the end`,
      rows: Object.entries({
        'all active after, s': rounded(activeAfter),
        'memory of control plane and database, MiB': rounded(after.memoryMib),
        'the same without toolboxes, MiB': rounded(empty.memoryMib),
        'CPU while nothing happens, % of one core': rounded(cpu * 100),
        'the same for each heartbeat, us': rounded(((after.cpuMs - before.cpuMs) * 1_000) / beats),
        'refresh of a status, p50 ms': rounded(percentile(took, 0.5)),
        'refresh of a status, p99 ms': rounded(percentile(took, 0.99)),
        'cut off, noticed after, median s': rounded(percentile(seconds, 0.5)),
        'cut off, the last one noticed after, s': rounded(percentile(seconds, 1)),
        'wrongly taken for silent': many - lost.length - (now['active'] ?? 0),
      }).map(([what, value]) => ({ what, value })),
    },
  ]
})
