import { and, eq, gt, inArray, isNull, lt, ne, or, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { dropletActions, dropletSightings, instances, toolboxes } from '../store/schema/index.ts'

/**
 * What a restored database says otherwise than what is, as far as is known since it watches; and what it would carry out.
 * @returns sentences for people.
 */
export async function readDifferences(tx: Tx, since: Date): Promise<string[]> {
  const found = [await strays(tx), await silent(tx, since), await otherTools(tx, since), await unfinished(tx)]
  return found.flat()
}

async function strays(tx: Tx): Promise<string[]> {
  const seen = await tx
    .select()
    .from(dropletSightings)
    .where(eq(dropletSightings.held, true))
    .orderBy(dropletSightings.dropletId)
  return seen.map(({ dropletId, reason }) => `The droplet ${dropletId} is at DigitalOcean: ${reason}. It stays.`)
}

async function silent(tx: Tx, since: Date): Promise<string[]> {
  const rows = await tx
    .select()
    .from(toolboxes)
    .where(
      and(
        inArray(toolboxes.status, ['active', 'unresponsive', 'lost', 'quarantined']),
        or(isNull(toolboxes.lastHeartbeatAt), lt(toolboxes.lastHeartbeatAt, since)),
      ),
    )
    .orderBy(toolboxes.name)
  return rows.map(({ name, status }) => `The toolbox ${name} has not been heard since; it is ${status}.`)
}

async function otherTools(tx: Tx, since: Date): Promise<string[]> {
  const rows = await tx
    .select({ name: instances.name, toolbox: toolboxes.name, status: instances.status })
    .from(instances)
    .innerJoin(toolboxes, eq(toolboxes.id, instances.toolboxId))
    .where(
      and(
        ne(instances.desired, 'absent'),
        gt(instances.observedAt, since),
        or(isNull(instances.status), sql`(${instances.status}->>'generation')::bigint > ${instances.generation}`),
      ),
    )
    .orderBy(toolboxes.name, instances.name)
  return rows.map(({ name, toolbox, status }) =>
    status
      ? `The tool ${name} on ${toolbox} was changed since; it would be set back to what is known here.`
      : `The tool ${name} is not on ${toolbox} any more; it would be deployed again.`,
  )
}

async function unfinished(tx: Tx): Promise<string[]> {
  const asked = await tx
    .select()
    .from(toolboxes)
    .where(
      or(
        inArray(toolboxes.status, ['pending_provision', 'provisioning', 'pending_deprovision', 'deprovisioning']),
        and(eq(toolboxes.desired, 'absent'), ne(toolboxes.status, 'deprovisioned')),
      ),
    )
    .orderBy(toolboxes.name)
  const actions = await tx
    .select({ request: dropletActions.request, toolbox: toolboxes.name })
    .from(dropletActions)
    .innerJoin(toolboxes, eq(toolboxes.id, dropletActions.toolboxId))
    .where(inArray(dropletActions.state, ['asked', 'running']))
  return [
    ...asked.map(({ name, desired }) =>
      desired === 'absent'
        ? `The toolbox ${name} would be removed, as was asked for.`
        : `The toolbox ${name} would be made, as was asked for, unless its droplet is there.`,
    ),
    ...actions.map(({ request, toolbox }) => `The action ${request.kind} of ${toolbox} would be carried out.`),
  ]
}
