import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { heldTunnels, replicas } from '../store/schema/index.ts'
import { CHANNEL, type ReplicaNews } from './replica-news.ts'

/** A replica that was not seen for so long is gone; by the database's clock. */
const LIVE_SECONDS = 20

export interface Replica {
  /** Of its process. */
  readonly id: string
  /** `host:port`. */
  readonly address: string
}

export interface HeldTunnel {
  readonly toolboxId: string
  readonly replicaId: string
  readonly since: Date
}

/** Says that a replica is there. @returns Whether nobody knew of it, or it was given up meanwhile: then nothing that it holds is on record. */
export async function seen(tx: Tx, { id, address }: Replica): Promise<boolean> {
  const [row] = await tx
    .insert(replicas)
    .values({ id, address, seenAt: sql`clock_timestamp()` })
    .onConflictDoUpdate({ target: replicas.id, set: { address, seenAt: sql`clock_timestamp()` } })
    .returning({ isNew: sql<boolean>`xmax = 0` })
  return row!.isNew
}

/** Forgets replicas that were not seen for long, with their tunnels. @returns Those that are there. */
export async function liveReplicas(tx: Tx): Promise<Replica[]> {
  await tx.delete(replicas).where(sql`${replicas.seenAt} < clock_timestamp() - make_interval(secs => ${LIVE_SECONDS})`)
  return tx.select({ id: replicas.id, address: replicas.address }).from(replicas)
}

export const listHeldTunnels = (tx: Tx): Promise<HeldTunnel[]> => tx.select().from(heldTunnels)

export interface TunnelNotes {
  readonly opened: readonly { readonly toolboxId: string; readonly since: Date }[]
  readonly closed: readonly string[]
  /** Whose tunnel is to be broken, whoever holds it. */
  readonly revoked: readonly string[]
}

/** Keeps who holds which tunnel, and tells the other replicas. A tunnel that somebody else has opened since is left as it is. */
export async function storeTunnels(
  tx: Tx,
  { id: replicaId, address }: Replica,
  { opened, closed, revoked }: TunnelNotes,
): Promise<void> {
  if (opened.length > 0)
    await tx.execute(sql`
      insert into control_plane_tunnels (toolbox_id, replica_id, since)
      select toolbox.id, ${replicaId}, held.since
      from jsonb_to_recordset(${JSON.stringify(opened)}::jsonb) as held("toolboxId" text, since timestamptz)
      join account_tool_environments toolbox on toolbox.id = held."toolboxId"
      on conflict (toolbox_id) do update set replica_id = excluded.replica_id, since = excluded.since`)
  if (closed.length > 0)
    await tx
      .delete(heldTunnels)
      .where(and(eq(heldTunnels.replicaId, replicaId), inArray(heldTunnels.toolboxId, [...closed])))
  await tell(tx, {
    replicaId,
    address,
    opened: opened.map(({ toolboxId, since }) => [toolboxId, since.getTime()]),
    closed,
    revoked,
  })
}

/** A replica that ends takes everything that it held off the record. */
export async function leave(tx: Tx, { id: replicaId, address }: Replica): Promise<void> {
  await tx.delete(replicas).where(eq(replicas.id, replicaId))
  await tell(tx, { replicaId, address, opened: [], closed: [], revoked: [], left: true })
}

const tell = (tx: Tx, news: ReplicaNews): Promise<unknown> =>
  tx.execute(sql`select pg_notify(${CHANNEL}, ${JSON.stringify(news)})`)
