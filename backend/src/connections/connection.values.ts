import type { Connection, ToolOAuth } from '@agentopia/api'
import { refreshTimeOf, UNKNOWN_LIFE_MS } from './connection.step.ts'
import type { ConnectionRow } from './connection.store.ts'
import type { Tokens } from './token-requests.ts'

/** When new tokens end, and when they are to be refreshed. */
export function timesOf(
  now: number,
  { expiresIn, refreshToken }: Pick<Tokens, 'expiresIn' | 'refreshToken'>,
  hasRefreshToken = true,
): { readonly expiresAt: Date | null; readonly refreshAt: Date | null } {
  const lifeMs = expiresIn === undefined ? undefined : expiresIn * 1_000
  const refreshes = hasRefreshToken || refreshToken !== undefined
  return {
    expiresAt: lifeMs === undefined ? null : new Date(now + lifeMs),
    refreshAt: refreshes ? new Date(refreshTimeOf(now, lifeMs ?? UNKNOWN_LIFE_MS)) : null,
  }
}

/** What people see of a connection. */
export function connectionViewOf({ field, scopes, issuer }: ToolOAuth, row: ConnectionRow | undefined): Connection {
  if (!row) return { state: 'not_connected', field, scopes, ...(issuer ? { issuer } : {}) }
  return {
    state: row.state,
    field: row.field,
    issuer: row.server.issuer,
    scopes: row.scopes,
    connectedBy: row.connectedBy,
    connectedAt: row.connectedAt.toISOString(),
    ...(row.expiresAt ? { expiresAt: row.expiresAt.toISOString() } : {}),
    ...(row.reason ? { reason: row.reason } : {}),
  }
}
