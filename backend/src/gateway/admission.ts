import { type AgentLimits, problem } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { RateLimited } from '../http/rate-limited.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { callCounts } from '../store/schema/index.ts'
import type { BeltItem, Toolbelt } from './authorise.ts'

/** A call that is permitted, before it is made. */
interface PermittedCall {
  readonly toolbelt: Toolbelt
  readonly item: BeltItem
  readonly capability: string
  readonly argumentBytes: number
}

/**
 * Lets a call pass that is within the limits of its agent, and counts it.
 * @throws {ProblemError} `rate-limited` with the time after which to come again, `payload-too-large`, `store-unavailable`.
 */
export type Admit = (call: PermittedCall) => Promise<void> | void

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** The database counts, for all replicas together and over restarts; where no limit is set, it is not asked. */
export function createAdmission(store: Pick<Store, 'tenant'>, clock: Pick<Clock, 'now'>): Admit {
  return ({ toolbelt: { agent }, item, capability, argumentBytes }) => {
    const { limits } = agent
    if (limits.argumentBytes !== undefined && argumentBytes > limits.argumentBytes)
      throw problem(
        'payload-too-large',
        `The arguments have ${argumentBytes} bytes; ${limits.argumentBytes} are allowed`,
      )
    const counters = countersOf(limits, `${item.instance.name}__${capability}`)
    if (counters.length === 0) return
    const now = clock.now()
    return store.tenant(agent.accountId, async (tx) => {
      // Refused by one, counted by none: the transaction ends here.
      for (const counter of counters) await countOne(tx, agent, counter, now)
    })
  }
}

interface Counter {
  readonly scope: string
  readonly windowMs: number
  readonly most: number
  readonly words: string
}

/** Always in the same order, so that no two calls wait for each other. */
function countersOf(limits: AgentLimits, name: string): Counter[] {
  const own = limits.capabilities?.find(({ capability }) => capability === name)
  return [...rates(limits, '', 'this agent'), ...(own ? rates(own, ` ${name}`, `${name} by this agent`) : [])]
}

const rates = (
  { perMinute, perDay }: Pick<AgentLimits, 'perMinute' | 'perDay'>,
  scope: string,
  what: string,
): Counter[] => [
  ...(perMinute === undefined
    ? []
    : [
        {
          scope: `minute${scope}`,
          windowMs: MINUTE_MS,
          most: perMinute,
          words: `Calls of ${what} are limited to ${perMinute} a minute`,
        },
      ]),
  ...(perDay === undefined
    ? []
    : [
        {
          scope: `day${scope}`,
          windowMs: DAY_MS,
          most: perDay,
          words: `Calls of ${what} are limited to ${perDay} a day`,
        },
      ]),
]

async function countOne(
  tx: Tx,
  { id: agentId, accountId }: Toolbelt['agent'],
  { scope, windowMs, most, words }: Counter,
  now: number,
): Promise<void> {
  const start = now - (now % windowMs)
  const counted = await tx
    .insert(callCounts)
    .values({ accountId, agentId, scope, windowStart: new Date(start), count: 1 })
    .onConflictDoUpdate({
      target: [callCounts.agentId, callCounts.scope, callCounts.windowStart],
      set: { count: sql`${callCounts.count} + 1` },
      setWhere: sql`${callCounts.count} < ${most}`,
    })
    .returning({ count: callCounts.count })
  if (counted.length === 0) throw new RateLimited(words, Math.max(1, Math.ceil((start + windowMs - now) / 1_000)))
}

/** Windows that are over for good. @returns how many were forgotten. */
export async function forgetOldCounts(tx: Tx, now: number): Promise<number> {
  const gone = await tx
    .delete(callCounts)
    .where(sql`${callCounts.windowStart} < ${new Date(now - 2 * DAY_MS).toISOString()}::timestamptz`)
    .returning({ scope: callCounts.scope })
  return gone.length
}
