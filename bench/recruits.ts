import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createJoinLine, createToolbox, listToolboxes, refreshToolboxStatus } from '@agentopia/api'
import { type Product, waitFor } from '@agentopia/e2e/product'
import type { Recruits } from './fleet-members.ts'
import type { Member } from './member.ts'
import { ended, type Run } from './run.ts'

/** As the control plane asks for them. */
export const HEARTBEAT_MS = 10_000
const AT_ONCE = 8
/** A look reads the whole list: it must not be what is measured. */
const LOOK_MS = 5_000
const DEADLINE_MS = 900_000

async function invite(product: Product, n: number): Promise<Member> {
  const { id } = await product.client.call(createToolbox, { body: { provider: 'join', name: `member-${n}` } })
  const { line } = await product.client.call(createJoinLine, { params: { toolboxId: id } })
  return { toolboxId: id, token: /enrol_[\w-]+/.exec(line)![0] }
}

export async function invited(product: Product, many: number, signal: AbortSignal): Promise<Member[]> {
  const members: Member[] = []
  for (let n = 0; n < many; n += AT_ONCE) {
    signal.throwIfAborted()
    const some = Array.from({ length: Math.min(AT_ONCE, many - n) }, (_, m) => invite(product, n + m))
    members.push(...(await Promise.all(some)))
  }
  return members
}

/** Starts processes of members; who they are goes with the run. @param speed Of the time that passes for them. */
export function recruiter(bench: Run, product: Product, speed = 1): (members: readonly Member[]) => ChildProcess {
  const directory = mkdtempSync(join(tmpdir(), 'agentopia-fleet-'))
  bench.cleanUp(() => rmSync(directory, { recursive: true, force: true }))
  return (members) => {
    const child = fork(fileURLToPath(new URL('./fleet-members.ts', import.meta.url)), { stdio: 'inherit' })
    bench.cleanUp(() => ended(child, 'SIGKILL'))
    child.send({ directory, baseUrl: product.url, members, speed } satisfies Recruits)
    return child
  }
}

/** Resolves when so many toolboxes are active and connected. */
export async function allActive(product: Product, many: number, signal: AbortSignal): Promise<void> {
  await waitFor('the fleet is not active', DEADLINE_MS, async () => {
    await sleep(LOOK_MS, undefined, { signal })
    return (await statuses(product))['active'] === many ? true : undefined
  })
}

/** How many toolboxes have each status. */
export async function statuses({ client }: Product): Promise<Readonly<Record<string, number>>> {
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

/** A status refresh: through the tunnel, to the member and back. @throws {Error} When it was not reached. */
export async function command({ client }: Product, { toolboxId }: Member): Promise<void> {
  const { observation } = await client.call(refreshToolboxStatus, { params: { toolboxId } })
  if (observation.code !== 'reachable') throw new Error(`${toolboxId}: ${observation.summary}`)
}
