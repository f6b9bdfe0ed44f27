import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { accountKeys, type credentials } from '../store/schema/index.ts'
import { createSealer, type SealedFor, type Sealer } from '../store/seal.ts'

export type SecretValues = Readonly<Record<string, string>>

/** What a sealed credential belongs to: its account, its row and its version. It opens under no other. */
type CredentialPlace = Pick<typeof credentials.$inferSelect, 'id' | 'accountId' | 'version'>

/** Seals the values of credentials under the key of their account, which the master key seals. */
export interface CredentialSealer {
  seal(tx: Tx, place: CredentialPlace, values: SecretValues): Promise<string>
  /** @throws {Error} When it was changed, or is another account's, another credential's or another version's. */
  open(tx: Tx, place: CredentialPlace, sealed: string): Promise<SecretValues>
}

/** The key of an account opens only for it. */
export const accountKeyOf = ({ accountId }: Pick<typeof accountKeys.$inferSelect, 'accountId'>) =>
  ({ purpose: 'account-key', accountId, recordId: accountId }) as const satisfies SealedFor

export function createCredentialSealer(master: Sealer): CredentialSealer {
  async function ofAccount(tx: Tx, accountId: string): Promise<Sealer> {
    const belongsTo = accountKeyOf({ accountId })
    const read = () => tx.select().from(accountKeys).where(eq(accountKeys.accountId, accountId))
    let [row] = await read()
    if (!row) {
      const sealedKey = master.seal(randomBytes(32).toString('base64'), belongsTo)
      await tx.insert(accountKeys).values({ accountId, sealedKey }).onConflictDoNothing()
      ;[row] = await read() // of two at once, one key stands
    }
    return createSealer(Buffer.from(master.open(row!.sealedKey, belongsTo), 'base64'))
  }

  return {
    seal: async (tx, place, values) =>
      (await ofAccount(tx, place.accountId)).seal(JSON.stringify(values), belongingOf(place)),
    open: async (tx, place, sealed) =>
      JSON.parse((await ofAccount(tx, place.accountId)).open(sealed, belongingOf(place))) as SecretValues,
  }
}

const belongingOf = ({ id, accountId, version }: CredentialPlace): SealedFor => ({
  purpose: 'agent-credential',
  accountId,
  recordId: `${id}.${version}`,
})
