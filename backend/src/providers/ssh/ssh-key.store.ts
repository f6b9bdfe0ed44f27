import { eq } from 'drizzle-orm'
import ssh2 from 'ssh2'
import type { Tx } from '../../store/connect.ts'
import { sshKeys } from '../../store/schema/index.ts'
import type { SealedFor, Sealer } from '../../store/seal.ts'

/** What the sealed key of an account belongs to. */
export const sealedSshKeyOf = (accountId: string): SealedFor => ({
  purpose: 'ssh-key',
  accountId,
  recordId: accountId,
})

/** The public half of the key of an account, made at the first time. @returns A line for authorized_keys. */
export async function ensureSshKey(tx: Tx, sealer: Pick<Sealer, 'seal'>, accountId: string): Promise<string> {
  const { public: publicKey, private: privateKey } = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'agentopia' })
  const row = { accountId, publicKey, privateKey: sealer.seal(privateKey, sealedSshKeyOf(accountId)) }
  await tx.insert(sshKeys).values(row).onConflictDoNothing()
  const [kept] = await tx.select({ publicKey: sshKeys.publicKey }).from(sshKeys).where(eq(sshKeys.accountId, accountId))
  return kept!.publicKey
}

/** The secret half; `undefined` when there is none yet. */
export async function openSshKey(tx: Tx, sealer: Pick<Sealer, 'open'>, accountId: string): Promise<string | undefined> {
  const [row] = await tx.select().from(sshKeys).where(eq(sshKeys.accountId, accountId))
  return row && sealer.open(row.privateKey, sealedSshKeyOf(accountId))
}
