import { and, eq, gt } from 'drizzle-orm'
import { newId } from '../new-id.ts'
import { digestOf } from '../secret.ts'
import type { Tx } from '../store/connect.ts'
import { verifications } from '../store/schema/index.ts'

/** What a short-lived secret is good for, and whose it is: one that was given for something else is worth nothing. */
export interface ProofOf {
  readonly purpose: 'passkey-new' | 'passkey-sign-in' | 'passkey-presence' | 'sign-on'
  readonly secret: string
}

const nameOf = ({ purpose, secret }: ProofOf): string => `${purpose}:${digestOf(secret)}`

/** Remembers that this secret was given out, on every replica; only its digest is stored. */
export const rememberProof = (tx: Tx, proof: ProofOf, value: string, expiresAt: Date) =>
  tx.insert(verifications).values({ id: newId('act'), identifier: nameOf(proof), value, expiresAt })

/** Uses it up: of any number who come with it one gets what was remembered. `undefined`: it is not known, used or too old. */
export async function takeProof(tx: Tx, proof: ProofOf, now: Date): Promise<string | undefined> {
  const [row] = await tx
    .delete(verifications)
    .where(and(eq(verifications.identifier, nameOf(proof)), gt(verifications.expiresAt, now)))
    .returning({ value: verifications.value })
  return row?.value
}
