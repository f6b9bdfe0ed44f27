import type { Caller } from '../http/caller.ts'
import type { Store, Tx } from '../store/connect.ts'

/** What a change needs that calls depend on. */
export interface ChangedForCallsDeps {
  readonly store: Pick<Store, 'tenant'>
  /** Toolbelts of an account that are remembered for calls hold no more. */
  readonly forget: (accountId: string) => void
}

/** Transactions of an account after which whoever made the change finds it so at the gateway. */
export const changedForCalls =
  ({ store, forget }: ChangedForCallsDeps) =>
  async <Result>({ accountId }: Pick<Caller, 'accountId'>, act: (tx: Tx) => Promise<Result>): Promise<Result> => {
    const result = await store.tenant(accountId, act)
    forget(accountId)
    return result
  }
