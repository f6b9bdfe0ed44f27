// npm run bench:fleet -- [many] [cut off]: what one control plane needs for so many toolboxes, how fast it commands them, and how fast it
// notices those that fall silent. They are DTMAs without a machine (fleet-members.ts). Needs `npm run build`.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createJoinLine, createToolbox, getToolbox, listToolboxes, refreshToolboxStatus } from '@agentopia/api'
import { type Product, startProduct, waitFor } from '@agentopia/e2e/product'
import manifest from '../dtma/package.json' with { type: 'json' }
import type { Recruits } from './fleet-members.ts'

const MANY = Number(process.argv[2] ?? 1_000)
/** So many lose their network at once; far fewer than what the control plane would take for a fault of its own. */
const CUT_OFF = Number(process.argv[3] ?? Math.max(1, Math.floor(MANY / 50)))
const AT_ONCE = 8
const STEADY_MS = 60_000
const COMMANDS_MS = 20_000
const COMMANDERS = 4
const DEADLINE_MS = 900_000

type Member = Recruits['members'][number]

async function invite(product: Product, n: number): Promise<Member> {
  const { id } = await product.client.call(createToolbox, { body: { provider: 'join', name: `member-${n}` } })
  const { line } = await product.client.call(createJoinLine, { params: { toolboxId: id } })
  return { toolboxId: id, token: /enrol_[\w-]+/.exec(line)![0] }
}

/** So many at a time. */
async function each<Result>(many: number, act: (n: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const work = async () => {
    for (let n = next++; n < many; n = next++) results[n] = await act(n)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return results
}

function start(directory: string, baseUrl: string, members: readonly Member[]): ChildProcess {
  const child = fork(fileURLToPath(new URL('./fleet-members.ts', import.meta.url)), { stdio: 'inherit' })
  child.send({ directory, baseUrl, version: manifest.version, members } satisfies Recruits)
  return child
}

/** How many toolboxes have each status. */
async function statuses({ client }: Product): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {}
  let cursor: string | undefined
  do {
    const page = await client.call(listToolboxes, { query: { limit: 200, cursor } })
    for (const { status, connected } of page.items) {
      const key = status === 'active' && !connected ? 'active, not connected' : status
      found[key] = (found[key] ?? 0) + 1
    }
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return found
}

interface Usage {
  readonly cpuMs: number
  readonly memoryMib: number
}

const TICK_MS = 10

/** Of a process and all that it started: for the control plane, its database too. Shared pages are counted once. */
function usageOf(pid: number): Usage {
  const [, after = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = after.split(' ')
  const memory = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1_024
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  const own = { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, memoryMib: memory }
  return children.map((child) => usageOf(Number(child))).reduce(sum, own)
}
const sum = (a: Usage, b: Usage): Usage => ({ cpuMs: a.cpuMs + b.cpuMs, memoryMib: a.memoryMib + b.memoryMib })

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)]!

/** Status refreshes, one after another from a few callers: through the tunnel, to the member and back. @returns Milliseconds each. */
async function command({ client }: Product, members: readonly Member[]): Promise<number[]> {
  const took: number[] = []
  const until = performance.now() + COMMANDS_MS
  const work = async () => {
    while (performance.now() < until) {
      const { toolboxId } = members[Math.floor(Math.random() * members.length)]!
      const begun = performance.now()
      const { observation } = await client.call(refreshToolboxStatus, { params: { toolboxId } })
      if (observation.code !== 'reachable') throw new Error(`${toolboxId}: ${observation.summary}`)
      took.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: COMMANDERS }, work))
  return took
}

/** @returns Seconds after the cut until each was told to be unresponsive. */
const noticed = ({ client }: Product, members: readonly Member[], cutAt: number): Promise<number[]> =>
  Promise.all(
    members.map(({ toolboxId }) =>
      waitFor(`${toolboxId} was never missed`, 120_000, async () => {
        await sleep(1_000)
        const { status } = await client.call(getToolbox, { params: { toolboxId } })
        return status === 'unresponsive' ? (performance.now() - cutAt) / 1_000 : undefined
      }),
    ),
  )

async function run(): Promise<void> {
  await using product = await startProduct({ LOCAL_TOOLBOX: 'off', MAX_TOOLBOXES: String(MANY) })
  const directory = mkdtempSync(join(tmpdir(), 'agentopia-fleet-'))
  const empty = usageOf(product.pid)
  const members = await each(MANY, (n) => invite(product, n))
  const lost = members.slice(0, CUT_OFF)
  const begun = performance.now()
  const others = start(directory, product.url, members.slice(CUT_OFF))
  const cut = start(directory, product.url, lost)
  try {
    await waitFor('the fleet is not active', DEADLINE_MS, async () => {
      await sleep(1_000)
      return (await statuses(product))['active'] === MANY ? true : undefined
    })
    const activeAfter = (performance.now() - begun) / 1_000

    const before = usageOf(product.pid)
    await sleep(STEADY_MS)
    const after = usageOf(product.pid)
    const cpu = (after.cpuMs - before.cpuMs) / STEADY_MS
    const took = await command(product, members.slice(CUT_OFF))

    cut.kill('SIGSTOP')
    const seconds = await noticed(product, lost, performance.now())
    console.table({
      toolboxes: MANY,
      'all active after': `${activeAfter.toFixed(0)} s`,
      'memory, control plane and database': `${after.memoryMib.toFixed(0)} MiB (${empty.memoryMib.toFixed(0)} MiB without any)`,
      'CPU while nothing happens': `${(cpu * 100).toFixed(0)} % of one core, ${((cpu * 10_000_000) / MANY).toFixed(0)} us a heartbeat`,
      'a command': `p50 ${percentile(took, 0.5).toFixed(0)} ms, p99 ${percentile(took, 0.99).toFixed(0)} ms, ${took.length} in ${COMMANDS_MS / 1_000} s`,
      [`${CUT_OFF} cut off, noticed after`]: `${percentile(seconds, 0.5).toFixed(0)} s, the last ${percentile(seconds, 1).toFixed(0)} s`,
      statuses: JSON.stringify(await statuses(product)),
    })
  } finally {
    for (const child of [cut, others]) child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

await run()
