import type { Store } from '../store/connect.ts'
import { findByBearerToken } from './enrolment.store.ts'

/** Which toolbox a DTMA_BEARER_TOKEN stands for. */
export interface DtmaIdentity {
  readonly toolboxId: string
  readonly accountId: string
  /** Of the enrolment that the token comes from. */
  readonly epoch: number
}

/** For the tunnel: who dials. @returns `undefined` for a token that is none, or was revoked. */
export const authenticateDtma =
  (store: Store, now: () => number) =>
  async (token: string): Promise<DtmaIdentity | undefined> => {
    const row = await store.system((tx) => findByBearerToken(tx, token, new Date(now())))
    return row && { toolboxId: row.id, accountId: row.accountId, epoch: row.enrolEpoch }
  }
