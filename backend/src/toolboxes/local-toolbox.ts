import { and, eq, isNull } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'

const NAME = 'local'

/** Makes this machine a toolbox of the account, unless it is one already. Repeatable, also by several at once. @returns its id. */
export function ensureLocalToolbox(store: Store, accountId: string): Promise<string> {
  return store.system(async (tx) => {
    const ours = and(eq(toolboxes.accountId, accountId), eq(toolboxes.provider, 'local'), isNull(toolboxes.deletedAt))
    const find = async () => (await tx.select({ id: toolboxes.id }).from(toolboxes).where(ours))[0]?.id
    const existing = await find()
    if (existing) return existing

    const id = newId('toolbox')
    const values = { id, accountId, name: NAME, provider: 'local' } as const
    const [made] = await tx.insert(toolboxes).values(values).onConflictDoNothing().returning({ id: toolboxes.id })
    if (made) {
      const message = 'This machine becomes a toolbox'
      await recordActivity(tx, {
        accountId,
        actor: 'control plane',
        action: 'toolbox.created',
        subject: id,
        toolboxId: id,
        message,
      })
      return id
    }
    const other = await find()
    if (other) return other
    throw new Error(`The account has a toolbox called ${NAME} that is not this machine: rename it first`)
  })
}
