import { problem } from '@agentopia/api'
import { count, isNull, sql } from 'drizzle-orm'
import { beyondAccount, type Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'

/** The most toolboxes that are not gone yet. */
export interface ToolboxLimits {
  readonly ofAccount: number
  /** Of all accounts together. */
  readonly ofAll: number
}

/** Any number that nobody else uses: the name of a lock. */
const LIMIT_LOCK = 7_268_412

/**
 * Is there room for one more, in a transaction of its account? Toolboxes are counted one transaction after the other, on whichever
 * control plane, so that the limits hold. @throws {ProblemError} `toolbox-limit`, `toolbox-limit-of-all`.
 */
export async function requireRoom(tx: Tx, { ofAccount, ofAll }: ToolboxLimits): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${LIMIT_LOCK})`)
  if ((await countIn(tx)) >= ofAccount) throw problem('toolbox-limit', `The account has ${ofAccount} toolboxes`)
  if ((await beyondAccount(tx, countIn)) >= ofAll)
    throw problem('toolbox-limit-of-all', `All accounts together have ${ofAll} toolboxes`)
}

async function countIn(tx: Tx): Promise<number> {
  const [present] = await tx.select({ count: count() }).from(toolboxes).where(isNull(toolboxes.deletedAt))
  return present?.count ?? 0
}
