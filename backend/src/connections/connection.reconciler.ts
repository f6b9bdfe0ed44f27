import type { SQL } from 'drizzle-orm'
import type { CredentialSealer } from '../credentials/credential.seal.ts'
import { getCredentialPlaceById } from '../credentials/credential.store.ts'
import { recordActivity } from '../events/activity.store.ts'
import { backoffMs } from '../reconcile/backoff.ts'
import type { Clock } from '../reconcile/clock.ts'
import { createNowSince } from '../reconcile/now-since.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import { underLease } from '../reconcile/under-lease.ts'
import type { Store, Tx } from '../store/connect.ts'
import { connections } from '../store/schema/index.ts'
import type { Sealer } from '../store/seal.ts'
import { nextStep } from './connection.step.ts'
import {
  type ConnectionRow,
  changeConnection,
  getConnectionById,
  listConnectionIds,
  placeAccessToken,
  refreshTokenOf,
} from './connection.store.ts'
import { timesOf } from './connection.values.ts'
import { findOAuthClient } from './oauth-client.store.ts'
import type { TokenOutcome, TokenRequests } from './token-requests.ts'

export interface ConnectionReconcilerDeps {
  readonly store: Store
  readonly sealer: Sealer
  readonly seals: CredentialSealer
  readonly tokens: Pick<TokenRequests, 'byRefreshToken'>
  readonly clock: Pick<Clock, 'now' | 'steady'>
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
  /** Identifier of this replica's process. */
  readonly owner: string
}

/** Refreshes access tokens before they end; one replica at a time, and one request at a time for each connection. */
export function connectionReconciler(deps: ConnectionReconcilerDeps): Reconciler {
  const { store, sealer, seals, tokens, clock, random, owner } = deps
  const read = (id: string) => store.system((tx) => getConnectionById(tx, id))
  const nowSince = createNowSince(clock)

  async function reconcile(id: string, signal: AbortSignal): Promise<Outcome> {
    const seen = await read(id)
    if (!seen) return settled
    const step = stepOf(seen)
    if (step.do === 'nothing') return settled
    if (step.do === 'wait') return again(step.ms)
    return underLease({ store, table: connections, id, owner }, async (held) => {
      const now = await read(id) // another replica may have taken the step meanwhile
      if (!now) return settled
      const { do: deed } = stepOf(now)
      if (deed === 'refresh') return refresh(now, held, signal)
      if (deed === 'withdraw') await withdraw(now, held)
      return again(0)
    })
  }

  function stepOf({ id, state, withdrawn, ...row }: ConnectionRow) {
    const [expiresAt, refreshAt] = [row.expiresAt?.getTime(), row.refreshAt?.getTime()]
    // By whichever says so first: the machine may have slept, or its clock been set back. What is taken away for good is only so by
    // the time that has passed.
    const isRefreshed = state === 'connected' && refreshAt !== undefined
    const now = isRefreshed ? Math.max(clock.now(), nowSince(id, refreshAt)) : nowSince(id, expiresAt)
    return nextStep({ state, now, expiresAt, refreshAt, withdrawn })
  }

  async function refresh(row: ConnectionRow, held: SQL, signal: AbortSignal): Promise<Outcome> {
    const client = await store.system((tx) => findOAuthClient(tx, row.accountId, row.server.issuer))
    if (!client || row.refreshToken === null) {
      await refused(row, held, 'the account is no longer known there')
      return again(0)
    }
    // Written down before it is sent: whoever reads the row later knows that the token may have been used.
    const mine = await store.system((tx) => changeConnection(tx, held, { sentAt: new Date(clock.now()) }))
    if (!mine) return again(0)
    const refreshToken = sealer.open(row.refreshToken, refreshTokenOf(row))
    const outcome = await tokens.byRefreshToken(
      { server: row.server, client, resource: row.resource },
      refreshToken,
      signal,
    )
    if (outcome.kind === 'granted') {
      await granted(row, held, outcome)
      return again(0)
    }
    if (outcome.kind === 'refused') {
      await refused(row, held, reasonOf(row, outcome.reason))
      return again(0)
    }
    // The same token once more is all that can be done: a server that rotates gives the lost answer again, or refuses.
    const failures = row.failures + 1
    const waitMs = backoffMs(failures, random)
    const refreshAt = new Date(clock.now() + waitMs)
    await store.system((tx) =>
      changeConnection(tx, held, { failures, refreshAt, reason: `Not refreshed: ${outcome.reason}` }),
    )
    return again(waitMs)
  }

  const granted = (row: ConnectionRow, held: SQL, outcome: Extract<TokenOutcome, { kind: 'granted' }>) =>
    store.system(async (tx) => {
      const next = { ...row, version: row.version + 1 }
      // A server that gives no new one goes on with the one it gave.
      const token = outcome.refreshToken ?? sealer.open(row.refreshToken!, refreshTokenOf(row))
      const stands = await changeConnection(tx, held, {
        version: next.version,
        refreshToken: sealer.seal(token, refreshTokenOf(next)),
        ...timesOf(clock.now(), outcome),
        ...(outcome.scopes ? { scopes: [...outcome.scopes] } : {}),
        state: 'connected',
        reason: null,
        sentAt: null,
        failures: 0,
        withdrawn: false,
      })
      if (stands) await placeAccessToken(tx, seals, row, outcome.accessToken)
    })

  const refused = (row: ConnectionRow, held: SQL, reason: string) =>
    store.system(async (tx) => {
      const change = { state: 'requires_reauth', reason, refreshAt: null, refreshToken: null, sentAt: null } as const
      if (await changeConnection(tx, held, change)) await record(tx, row, `needs a person: ${reason}`)
    })

  const withdraw = (row: ConnectionRow, held: SQL) =>
    store.system(async (tx) => {
      const reason = row.reason ?? 'the access token has ended, and the server gave nothing to refresh it with'
      const change = { state: 'requires_reauth', reason, withdrawn: true } as const
      if (!(await changeConnection(tx, held, change))) return
      await placeAccessToken(tx, seals, row, undefined)
      if (row.state === 'connected') await record(tx, row, `needs a person: ${reason}`)
    })

  async function record(tx: Tx, row: ConnectionRow, what: string): Promise<void> {
    const place = await getCredentialPlaceById(tx, row.toolbeltItemId)
    await recordActivity(tx, {
      accountId: row.accountId,
      actor: 'control plane',
      action: 'connection.requires_reauth',
      subject: place.agentId,
      toolboxId: place.toolboxId,
      message: `The connection of ${place.instanceName} to ${new URL(row.server.issuer).host} ${what}`,
    })
  }

  return { name: 'connection', list: () => store.system(listConnectionIds), reconcile }
}

/** An earlier refresh whose answer was lost may be why the token is good no longer. */
const reasonOf = ({ sentAt }: ConnectionRow, reason: string): string =>
  sentAt === null ? reason : `${reason}; the answer to an earlier refresh was lost`
