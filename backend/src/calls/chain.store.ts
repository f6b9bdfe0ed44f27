import { and, asc, count, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { callChains, calls } from '../store/schema/index.ts'
import { BEGINNING, type ChainedCall, chainOn } from './call-chain.ts'
import type { CallRecord } from './call-record.ts'
import type { CallChain, ChainSeal } from './chain-seal.ts'

/**
 * Adds records to the chains of their accounts, in their order; one that is there already stays as it is, so that it may be
 * repeated. Whoever adds to a chain holds its row until the end of the transaction: any number of replicas make one chain.
 */
export async function appendCalls(tx: Tx, records: readonly CallRecord[], seal: ChainSeal): Promise<void> {
  const byId = new Map(records.map((record) => [record.id, record]))
  const chains = await lockChains(tx, [...new Set(records.map(({ accountId }) => accountId))], seal)
  for (const id of await idsAlreadyThere(tx, [...byId.keys()])) byId.delete(id)
  const added = chains.flatMap((chain) => {
    const own = [...byId.values()].filter(({ accountId }) => accountId === chain.accountId)
    return chainOn(chain, own)
  })
  if (added.length === 0) return
  await insertChained(tx, added)
  const ends = new Map(added.map((record) => [record.accountId, record]))
  await writeChains(
    tx,
    chains.flatMap((chain) => {
      const end = ends.get(chain.accountId)
      return end ? [seal.seal({ ...chain, sequence: end.sequence, hash: end.hash })] : []
    }),
  )
}

/** The chains of these accounts, held until the transaction ends, in an order that two writers share. */
export async function lockChains(tx: Tx, accountIds: readonly string[], seal: ChainSeal): Promise<CallChain[]> {
  const held = () =>
    tx
      .select()
      .from(callChains)
      .where(inArray(callChains.accountId, [...accountIds]))
      .orderBy(asc(callChains.accountId))
      .for('update')
  let chains = await held()
  if (chains.length < accountIds.length) {
    const known = new Set(chains.map(({ accountId }) => accountId))
    for (const accountId of accountIds.filter((id) => !known.has(id)).toSorted()) await beginChain(tx, accountId, seal)
    chains = await held()
  }
  return chains.map((chain) => noticeTampering(chain, seal))
}

async function beginChain(tx: Tx, accountId: string, seal: ChainSeal): Promise<void> {
  const chain = seal.seal({
    accountId,
    ...BEGINNING,
    removedSequence: BEGINNING.sequence,
    removedHash: BEGINNING.hash,
    unchained: await countUnchained(tx, accountId),
    tamperedAt: null,
  })
  await tx.insert(callChains).values(chain).onConflictDoNothing()
}

/** A chain goes on whatever was done to it, since calls must be recorded; but it says so from then on. */
const noticeTampering = (chain: CallChain, seal: ChainSeal): CallChain =>
  seal.isSealed(chain) ? chain : { ...chain, tamperedAt: chain.tamperedAt ?? chain.sequence }

export async function countUnchained(tx: Tx, accountId: string): Promise<number> {
  const [found] = await tx
    .select({ count: count() })
    .from(calls)
    .where(and(eq(calls.accountId, accountId), isNull(calls.sequence)))
  return found?.count ?? 0
}

export async function findChain(tx: Tx, accountId: string): Promise<CallChain | undefined> {
  const [chain] = await tx.select().from(callChains).where(eq(callChains.accountId, accountId))
  return chain
}

export async function writeChains(tx: Tx, chains: readonly CallChain[]): Promise<void> {
  for (const { accountId, ...columns } of chains)
    await tx.update(callChains).set(columns).where(eq(callChains.accountId, accountId))
}

/** Records of a chain after `after` up to `last`, in order. */
export async function readChain(
  tx: Tx,
  accountId: string,
  { after, last, limit }: { readonly after: number; readonly last: number; readonly limit: number },
): Promise<ChainedCall[]> {
  const rows = await tx
    .select()
    .from(calls)
    .where(and(eq(calls.accountId, accountId), gt(calls.sequence, after), lte(calls.sequence, last)))
    .orderBy(asc(calls.sequence))
    .limit(limit)
  return rows.map(({ startedAt, sequence, previousHash, hash, ...row }) => ({
    ...row,
    startedAt: startedAt.toISOString(),
    sequence: sequence!,
    previousHash: previousHash ?? '',
    hash: hash ?? '',
  }))
}

// One parameter each, whatever their number: the database unpacks it faster than a driver packs thousands.

async function idsAlreadyThere(tx: Tx, ids: readonly string[]): Promise<readonly string[]> {
  const given = sql`(select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`
  const found = await tx.select({ id: calls.id }).from(calls).where(inArray(calls.id, given))
  return found.map(({ id }) => id)
}

async function insertChained(tx: Tx, records: readonly ChainedCall[]): Promise<void> {
  await tx.execute(sql`
    insert into ${calls} (id, account_id, agent_id, agent_name, instance_id, instance_name, capability, via,
      instance_generation, spec_digest, capability_digest, started_at, argument_digest, argument_bytes, outcome, code,
      decided_by, duration_ms, result_bytes, result_digest, secrets_seen, sequence, previous_hash, hash)
    select id, "accountId", "agentId", "agentName", "instanceId", "instanceName", capability, via,
      "instanceGeneration", "specDigest", "capabilityDigest", "startedAt", "argumentDigest", "argumentBytes", outcome, code,
      "decidedBy", "durationMs", "resultBytes", "resultDigest", nullif("secretsSeen", 'null'), sequence, "previousHash", hash
    from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as r(id text, "accountId" text, "agentId" text,
      "agentName" text, "instanceId" text, "instanceName" text, capability text, via text, "instanceGeneration" int,
      "specDigest" text, "capabilityDigest" text, "startedAt" timestamptz, "argumentDigest" text, "argumentBytes" bigint,
      outcome text, code text, "decidedBy" text, "durationMs" float8, "resultBytes" bigint, "resultDigest" text,
      "secretsSeen" jsonb, sequence bigint,
      "previousHash" text, hash text)`)
}
