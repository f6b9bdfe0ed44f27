import { type Direct, type InstallVariant, type Placement, type Provider, problem, type SshPlace } from '@agentopia/api'
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { isUniqueViolation } from '../store/database-error.ts'
import { agentToolboxAccess, groups, instances, toolbeltItems, toolboxes } from '../store/schema/index.ts'
import { voidIdentity } from '../uplink/enrolment.store.ts'
import { moveTo, type ToolboxRow } from './toolbox.store.ts'
import { requireRoom, type ToolboxLimits } from './toolbox-limits.ts'

export interface NewToolboxRow {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly provider: Provider
  readonly installVariant: InstallVariant
  readonly placement?: Placement
  readonly direct?: Direct
  readonly sshPlace?: SshPlace
}

/**
 * Writes down what is asked for.
 * @throws {ProblemError} `name-taken`, `toolbox-limit`, `toolbox-limit-of-all`.
 */
export async function insertToolboxRow(tx: Tx, row: NewToolboxRow, limits: ToolboxLimits): Promise<ToolboxRow> {
  await requireRoom(tx, limits)
  const waits = WAITS[row.provider]
  const start = waits ? ({ status: 'provisioning', statusReason: waits } as const) : {}
  try {
    // A savepoint: the caller's transaction survives a name that is taken.
    const [made] = await tx.transaction((inner) =>
      inner
        .insert(toolboxes)
        .values({ ...row, ...start })
        .returning(),
    )
    return made!
  } catch (error) {
    if (isUniqueViolation(error)) throw problem('name-taken', `A toolbox is called ${row.name}`)
    throw error
  }
}

/** Those that wait for a deed of people, and for which. */
const WAITS: Readonly<Partial<Record<Provider, string>>> = {
  join: 'Waits until its line is run on the server',
  ssh: 'Waits until DTMA is installed over SSH',
}

/** @returns the row as it is then; asking twice changes nothing more. */
export async function askForEnd(tx: Tx, toolboxId: string): Promise<ToolboxRow> {
  const [row] = await tx.update(toolboxes).set({ desired: 'absent' }).where(eq(toolboxes.id, toolboxId)).returning()
  return row!
}

/** Another machine for the same toolbox. @returns `undefined` unless its provisioning has failed, or its machine is lost. */
export async function askAgain(tx: Tx, toolboxId: string): Promise<ToolboxRow | undefined> {
  const failed = and(
    eq(toolboxes.id, toolboxId),
    inArray(toolboxes.status, ['error_provisioning', 'lost']),
    eq(toolboxes.desired, 'present'),
  )
  const [row] = await tx
    .update(toolboxes)
    .set({ retries: sql`${toolboxes.retries} + 1` })
    .where(failed)
    .returning()
  return row
}

/**
 * Lets the DTMA of this machine itself enrol anew after a quarantine: its reconciler hands it a token. Of any other machine a
 * person runs a line there. @returns `undefined` unless it is such a toolbox.
 */
export const askToEnrolAnew = (tx: Tx, toolboxId: string, now: Date): Promise<ToolboxRow | undefined> =>
  moveTo(tx, toolboxId, {
    to: 'awaiting_heartbeat',
    reason: 'Waits for its DTMA to enrol anew',
    now,
    from: ['quarantined'],
    when: and(eq(toolboxes.provider, 'local'), eq(toolboxes.desired, 'present'))!,
  })

/** A machine that enrols long after it was up has its time to the first heartbeat anew. @param row As this transaction wrote it. */
export async function waitAnew(tx: Tx, { id, provisioning }: ToolboxRow, now: Date): Promise<void> {
  if (provisioning?.upSince === undefined) return
  const waited = { ...provisioning, emptyLooks: 0, upSince: now.toISOString() }
  await tx.update(toolboxes).set({ provisioning: waited }).where(eq(toolboxes.id, id))
}

/** The machine is gone: its credentials open nothing, nobody's toolbelt names its tools, its history stays. */
export async function endToolbox(tx: Tx, row: ToolboxRow, now: Date, when: Parameters<typeof moveTo>[2]['when']) {
  const gone = await moveTo(tx, row.id, { to: 'deprovisioned', now, ...(when ? { when } : {}) })
  if (!gone) return undefined
  await voidIdentity(tx, row.id)
  await tx.update(toolboxes).set({ deletedAt: now }).where(eq(toolboxes.id, row.id))
  const here = tx.select({ id: instances.id }).from(instances).where(eq(instances.toolboxId, row.id))
  await tx.delete(toolbeltItems).where(inArray(toolbeltItems.instanceId, here))
  await tx.delete(instances).where(eq(instances.toolboxId, row.id))
  await tx.delete(groups).where(eq(groups.toolboxId, row.id))
  await tx.delete(agentToolboxAccess).where(eq(agentToolboxAccess.toolboxId, row.id))
  return gone
}
