import { type PayloadRule, type PayloadRules, problem } from '@agentopia/api'
import { and, asc, eq, gt, lt, lte, notInArray, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { callPayloads, instances, payloadRules } from '../store/schema/index.ts'
import type { SealedFor } from '../store/seal.ts'

export type PayloadRow = typeof callPayloads.$inferSelect

export const payloadOf = ({ accountId, callId }: { readonly accountId: string; readonly callId: string }) =>
  ({ purpose: 'call-payload', accountId, recordId: callId }) as const satisfies SealedFor

/** Nothing is kept unless somebody wants it. */
const NO_RULE: PayloadRule = { days: 0, mostBytes: 65_536, redact: [] }
/** Stands for the account where an instance's id does. */
const OF_ACCOUNT = ''

/** The rules of the account of this transaction. */
export async function readPayloadRules(tx: Tx): Promise<PayloadRules> {
  const rows = await tx
    .select({ rule: payloadRules, instanceName: instances.name })
    .from(payloadRules)
    .leftJoin(instances, eq(instances.id, payloadRules.instanceId))
    .orderBy(asc(payloadRules.instanceId))
  const ruleOf = ({ days, mostBytes, redact }: typeof payloadRules.$inferSelect) => ({ days, mostBytes, redact })
  const account = rows.find(({ rule }) => rule.instanceId === OF_ACCOUNT)
  return {
    account: account ? ruleOf(account.rule) : NO_RULE,
    instances: rows
      .filter(({ rule }) => rule.instanceId !== OF_ACCOUNT)
      .map(({ rule, instanceName }) => ({
        instanceId: rule.instanceId,
        ...(instanceName === null ? {} : { instanceName }),
        ...ruleOf(rule),
      })),
  }
}

/** The rule that holds for an instance; `undefined`: nothing is kept. */
export function ruleFor({ account, instances: own }: PayloadRules, instanceId: string): PayloadRule | undefined {
  const rule = own.find((one) => one.instanceId === instanceId) ?? account
  return rule.days === 0 ? undefined : rule
}

/** @throws {ProblemError} `instance-not-found` */
export async function nameOfInstance(tx: Tx, instanceId: string): Promise<string> {
  const [row] = await tx.select({ name: instances.name }).from(instances).where(eq(instances.id, instanceId))
  if (!row) throw problem('instance-not-found', `There is no tool instance ${instanceId}`)
  return row.name
}

/** Stores a rule. What is kept already goes no later than under the new one. */
export async function storePayloadRule(
  tx: Tx,
  accountId: string,
  instanceId: string | undefined,
  rule: PayloadRule,
): Promise<void> {
  const row = { accountId, instanceId: instanceId ?? OF_ACCOUNT, ...rule }
  await tx
    .insert(payloadRules)
    .values(row)
    .onConflictDoUpdate({ target: [payloadRules.accountId, payloadRules.instanceId], set: rule })
  await shorten(tx, await readPayloadRules(tx))
}

/** @returns Whether there was one. */
export async function deletePayloadRule(tx: Tx, instanceId: string): Promise<boolean> {
  const gone = await tx
    .delete(payloadRules)
    .where(eq(payloadRules.instanceId, instanceId))
    .returning({ instanceId: payloadRules.instanceId })
  await shorten(tx, await readPayloadRules(tx))
  return gone.length > 0
}

async function shorten(tx: Tx, { account, instances: own }: PayloadRules): Promise<void> {
  const others = own.map(({ instanceId }) => instanceId)
  await shortenWhere(tx, others.length === 0 ? undefined : notInArray(callPayloads.instanceId, others), account.days)
  for (const { instanceId, days } of own) await shortenWhere(tx, eq(callPayloads.instanceId, instanceId), days)
}

async function shortenWhere(tx: Tx, where: SQL | undefined, days: number): Promise<void> {
  if (days === 0) return void (await tx.delete(callPayloads).where(where ?? sql`true`))
  const until = sql`least(${callPayloads.keptUntil}, ${callPayloads.createdAt} + make_interval(days => ${days}))`
  await tx.update(callPayloads).set({ keptUntil: until }).where(where)
}

export const insertPayloads = (tx: Tx, rows: readonly (typeof callPayloads.$inferInsert)[]) =>
  tx
    .insert(callPayloads)
    .values([...rows])
    .onConflictDoNothing()

/** `undefined` also for what should be gone by now. */
export async function findPayload(tx: Tx, callId: string, now: Date): Promise<PayloadRow | undefined> {
  const [row] = await tx
    .select()
    .from(callPayloads)
    .where(and(eq(callPayloads.callId, callId), gt(callPayloads.keptUntil, now)))
  return row
}

/** @returns how many there were. */
export async function deletePayloads(
  tx: Tx,
  { callId, agentId, instanceId }: { readonly [Name in 'callId' | 'agentId' | 'instanceId']?: string | undefined },
): Promise<number> {
  const gone = await tx
    .delete(callPayloads)
    .where(
      and(
        sql`true`,
        callId === undefined ? undefined : eq(callPayloads.callId, callId),
        agentId === undefined ? undefined : eq(callPayloads.agentId, agentId),
        instanceId === undefined ? undefined : eq(callPayloads.instanceId, instanceId),
      ),
    )
    .returning({ callId: callPayloads.callId })
  return gone.length
}

/** Of all accounts. @returns how many there were. */
export async function forgetOldPayloads(tx: Tx, now: Date): Promise<number> {
  const gone = await tx
    .delete(callPayloads)
    .where(lte(callPayloads.keptUntil, now))
    .returning({ callId: callPayloads.callId })
  return gone.length
}

/** With the record of a call goes what was kept of it. */
export const forgetPayloadsBefore = (tx: Tx, accountId: string, before: Date) =>
  tx.delete(callPayloads).where(and(eq(callPayloads.accountId, accountId), lt(callPayloads.createdAt, before)))
