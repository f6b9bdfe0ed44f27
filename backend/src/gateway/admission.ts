import { type AgentLimits, DEFAULT_CALLS_PER_MINUTE, problem } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { RateLimited } from '../http/rate-limited.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { callCounts } from '../store/schema/index.ts'
import type { BeltItem, Toolbelt } from './authorise.ts'
import { createMinuteCounts, MINUTE_MS, secondsUntil } from './minute-counts.ts'
import { gatewayNameOf, SEPARATOR } from './names.ts'
import { instanceNameOf } from './toolbelts.ts'

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

const DAY_MS = 86_400_000

/**
 * Limits that somebody set are counted by the database, for all replicas together and over restarts. The default is a
 * guard against loops, not an account: each process counts it in memory, and the database is not asked.
 * @param usual Calls in one minute of an agent for which none are set; `null`: not limited.
 */
export function createAdmission(
  store: Pick<Store, 'tenant'>,
  clock: Pick<Clock, 'now'>,
  usual: number | null = DEFAULT_CALLS_PER_MINUTE,
): Admit {
  const counts = createMinuteCounts()

  return ({ toolbelt: { agent }, item, capability, argumentBytes }) => {
    const { limits } = agent
    if (limits.argumentBytes !== undefined && argumentBytes > limits.argumentBytes)
      throw problem(
        'payload-too-large',
        `The arguments have ${argumentBytes} bytes; ${limits.argumentBytes} are allowed`,
      )
    const counters = countersOf(limits, limitedAs(item, capability))
    const now = clock.now()
    if (limits.perMinute === undefined && usual !== null && !counts.take(agent.id, usual, now))
      throw new RateLimited(
        `Calls of an agent are limited to ${usual} a minute, unless a limit of its own is set`,
        secondsUntil(MINUTE_MS, now),
      )
    if (counters.length === 0) return
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

/**
 * The names by which a limit means this capability: its name at the gateway, the one it has while names are not plain, and that one as
 * it is before it is shortened. A limit that somebody set does not end because names become plain.
 */
const limitedAs = (item: BeltItem, capability: string): ReadonlySet<string> =>
  new Set([
    gatewayNameOf(instanceNameOf(item), capability),
    gatewayNameOf(item.instance.name, capability),
    `${item.instance.name}${SEPARATOR}${capability}`,
  ])

/** Always in the same order, so that no two calls wait for each other. */
function countersOf(limits: AgentLimits, names: ReadonlySet<string>): Counter[] {
  const own = [...names].flatMap((name) => limits.capabilities?.find(({ capability }) => capability === name) ?? [])
  return [
    ...rates(limits, '', 'this agent'),
    ...own.flatMap((one) => rates(one, ` ${one.capability}`, `${one.capability} by this agent`)),
  ]
}

const rates = (
  { perMinute, perDay }: Pick<AgentLimits, 'perMinute' | 'perDay'>,
  scope: string,
  what: string,
): Counter[] => [
  ...(perMinute === undefined || perMinute === null
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
  if (counted.length === 0) throw new RateLimited(words, secondsUntil(windowMs, now))
}

/** Windows that are over for good. @returns how many were forgotten. */
export async function forgetOldCounts(tx: Tx, now: number): Promise<number> {
  const gone = await tx
    .delete(callCounts)
    .where(sql`${callCounts.windowStart} < ${new Date(now - 2 * DAY_MS).toISOString()}::timestamptz`)
    .returning({ scope: callCounts.scope })
  return gone.length
}
