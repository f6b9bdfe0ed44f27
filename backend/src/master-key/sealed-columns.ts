import { getTableColumns } from 'drizzle-orm'
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core'
import { askedArgumentsOf } from '../approvals/approval.store.ts'
import { refreshTokenOf, verifierOf } from '../connections/connection.store.ts'
import { clientSecretOf } from '../connections/oauth-client.store.ts'
import { accountKeyOf } from '../credentials/credential.seal.ts'
import { keptAnswerOf } from '../gateway/execute-once.ts'
import { payloadOf } from '../payloads/payload.store.ts'
import { sealedTokenOf } from '../providers/digitalocean/accounts.ts'
import { sealedSshKeyOf } from '../providers/ssh/ssh-key.store.ts'
import { sealedPasswordOf } from '../registries/registry.store.ts'
import {
  accountKeys,
  approvals,
  callPayloads,
  connectionAttempts,
  connections,
  executeKeys,
  oauthUpstreamClients,
  providers,
  registryCredentials,
  sshKeys,
  toolboxes,
} from '../store/schema/index.ts'
import type { SealedFor } from '../store/seal.ts'
import { sealedKeyOf } from '../toolboxes/dtma-client.ts'

/** A column whose texts are sealed by the master key. */
export interface SealedColumn {
  readonly table: PgTable
  readonly column: PgColumn
  /** The primary key of the table: texts. */
  readonly key: readonly PgColumn[]
  /** What of a row tells what its text belongs to. */
  readonly reads: Readonly<Record<string, PgColumn>>
  readonly belongsTo: (row: object) => SealedFor
}

/** For each purpose where its sealed texts lie; or why the master key is no matter of theirs. */
export const SEALED_AT: Readonly<Record<SealedFor['purpose'], SealedColumn | string>> = {
  'account-key': stored(accountKeys, 'sealedKey', ['accountId'], accountKeyOf),
  'agent-credential': 'sealed by the key of its account',
  'dtma-api-key': stored(toolboxes, 'backendToDtmaApiKey', ['id', 'accountId'], sealedKeyOf),
  'provider-token': stored(providers, 'token', ['accountId'], ({ accountId }) => sealedTokenOf(accountId)),
  'registry-password': stored(registryCredentials, 'password', ['accountId', 'registry'], (row) =>
    sealedPasswordOf(row.accountId, row.registry),
  ),
  'ssh-key': stored(sshKeys, 'privateKey', ['accountId'], ({ accountId }) => sealedSshKeyOf(accountId)),
  'oauth-client': stored(oauthUpstreamClients, 'secret', ['accountId', 'issuer'], clientSecretOf),
  'oauth-attempt': stored(connectionAttempts, 'verifier', ['digest', 'accountId'], verifierOf),
  'refresh-token': stored(connections, 'refreshToken', ['id', 'accountId', 'version'], refreshTokenOf),
  'call-answer': stored(executeKeys, 'answer', ['accountId', 'agentId', 'key'], keptAnswerOf),
  'call-payload': stored(callPayloads, 'sealed', ['accountId', 'callId'], payloadOf),
  approval: stored(approvals, 'arguments', ['id', 'accountId'], askedArgumentsOf),
  'request-state': 'in the hands of a client, and good for a quarter of an hour',
  'root-key': 'sealed anew by itself, after all others',
}

export const SEALED_COLUMNS: readonly SealedColumn[] = Object.values(SEALED_AT).filter(
  (place) => typeof place === 'object',
)

function stored<Table extends PgTable, Name extends keyof Table['$inferSelect'] & string>(
  table: Table,
  name: keyof Table['$inferSelect'] & string,
  names: readonly Name[],
  belongsTo: (row: Pick<Table['$inferSelect'], Name>) => SealedFor,
): SealedColumn {
  const all: Readonly<Record<string, PgColumn>> = getTableColumns(table)
  const { columns, primaryKeys } = getTableConfig(table)
  return {
    table,
    column: all[name]!,
    key: primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary),
    reads: Object.fromEntries(names.map((one) => [one, all[one]!])),
    belongsTo: belongsTo as SealedColumn['belongsTo'],
  }
}
