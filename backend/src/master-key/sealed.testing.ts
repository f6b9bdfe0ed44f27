import { randomBytes } from 'node:crypto'
import { eq, isNotNull } from 'drizzle-orm'
import { furnish } from '../control-plane.testing.ts'
import { createCredentialSealer } from '../credentials/credential.seal.ts'
import { newId } from '../new-id.ts'
import type { Store, Tx } from '../store/connect.ts'
import {
  accounts,
  approvals,
  callPayloads,
  connectionAttempts,
  connections,
  credentials,
  executeKeys,
  oauthUpstreamClients,
  providers,
  registryCredentials,
  sshKeys,
  toolboxes,
  users,
} from '../store/schema/index.ts'
import type { SealedFor, Sealer } from '../store/seal.ts'
import { SEALED_AT, type SealedColumn } from './sealed-columns.ts'

type Purpose = SealedFor['purpose']

const columnOf = (purpose: Purpose): SealedColumn => SEALED_AT[purpose] as SealedColumn

/** Purposes whose texts lie in a column that the master key seals. */
export const STORED = (Object.keys(SEALED_AT) as Purpose[]).filter((purpose) => typeof SEALED_AT[purpose] === 'object')

/** What was sealed of a purpose in {@link furnishSealed}. */
export const canaryOf = (purpose: Purpose): string =>
  purpose === 'call-payload' ? JSON.stringify({ arguments: { whole: true, text: 'canary' } }) : `canary of ${purpose}`

/** One sealed text of every purpose, and a credential, in an account of a person of its own. */
export async function furnishSealed(store: Store, sealer: Sealer, accountId = `account_${newId('act').slice(4)}`) {
  const userId = newId('user')
  await store.system(async (tx) => {
    await tx.insert(accounts).values({ id: accountId, name: accountId, slug: accountId }).onConflictDoNothing()
    await tx.insert(users).values({ id: userId, name: 'somebody', email: `${userId}@example.com` })
  })
  const { ids } = await furnish(store, accountId, userId)
  const { toolboxId, agentId, instanceId, toolbeltItemId, approvalId } = ids
  const sealed = (purpose: Purpose, row: object) =>
    sealer.seal(canaryOf(purpose), columnOf(purpose).belongsTo({ accountId, ...row }))
  const soon = new Date(Date.now() + 3_600_000)
  const server = { issuer: 'https://as', authorizationEndpoint: '', tokenEndpoint: '', namesItself: true }
  const place = { accountId, toolbeltItemId, server, field: 'token', scopes: [] }
  const key = { accountId, agentId, key: newId('act') }
  const connection = { id: newId('conn'), version: 3 }
  const digest = newId('act')
  const callId = newId('call')
  const credential = { id: newId('cred'), accountId, version: 2 }
  await store.system(async (tx) => {
    await tx
      .update(toolboxes)
      .set({ backendToDtmaApiKey: sealed('dtma-api-key', { id: toolboxId }) })
      .where(eq(toolboxes.id, toolboxId))
    await tx
      .update(approvals)
      .set({ arguments: sealed('approval', { id: approvalId }) })
      .where(eq(approvals.id, approvalId))
    await tx.insert(providers).values({
      id: newId('prov'),
      accountId,
      provider: 'digitalocean',
      token: sealed('provider-token', {}),
      hint: '',
      missingScopes: [],
      validatedAt: soon,
    })
    await tx.insert(registryCredentials).values({
      accountId,
      registry: 'images.example',
      username: 'x',
      password: sealed('registry-password', { registry: 'images.example' }),
      changedAt: soon,
    })
    await tx.insert(sshKeys).values({ accountId, publicKey: 'x', privateKey: sealed('ssh-key', {}) })
    await tx.insert(oauthUpstreamClients).values({
      accountId,
      issuer: server.issuer,
      clientId: 'x',
      secret: sealed('oauth-client', { issuer: server.issuer }),
      registered: 'by-hand',
      redirectUri: 'x',
    })
    await tx.insert(connectionAttempts).values({
      ...place,
      digest,
      userId,
      redirectUri: 'x',
      verifier: sealed('oauth-attempt', { digest }),
      expiresAt: soon,
    })
    await tx
      .insert(connections)
      .values({ ...place, ...connection, connectedBy: 'x', refreshToken: sealed('refresh-token', connection) })
    await tx.insert(executeKeys).values({ ...key, requestDigest: 'x', until: soon, answer: sealed('call-answer', key) })
    await insertPayloads(tx, sealer, { accountId, agentId, instanceId }, [callId])
    const text = await createCredentialSealer(sealer).seal(tx, credential, { apiKey: 'canary of agent-credential' })
    await tx.insert(credentials).values({ ...credential, toolbeltItemId, sealed: text, hints: {} })
  })
  // The key of the account was made with the credential; what a canary says of it is that it opens.
  return { accountId, ids, callId }
}

/** What was sent in many calls. */
export const insertPayloads = (
  tx: Tx,
  sealer: Pick<Sealer, 'seal'>,
  place: { readonly accountId: string; readonly agentId: string; readonly instanceId: string },
  callIds: readonly string[],
) =>
  tx.insert(callPayloads).values(
    callIds.map((callId) => ({
      ...place,
      callId,
      sealed: sealer.seal(
        canaryOf('call-payload'),
        columnOf('call-payload').belongsTo({ accountId: place.accountId, callId }),
      ),
      bytes: 1,
      keptUntil: new Date(Date.now() + 3_600_000),
    })),
  )

/** Opens every sealed text of a database. @returns What opened, by purpose; and what did not. */
export async function openEverything(store: Pick<Store, 'system'>, sealer: Sealer) {
  const opened = new Map<Purpose, string[]>()
  const failed: unknown[] = []
  await store.system(async (tx) => {
    for (const purpose of STORED) {
      const { table, column, reads, belongsTo } = columnOf(purpose)
      const texts: string[] = []
      for (const { row, sealed } of await tx
        .select({ row: reads, sealed: column })
        .from(table)
        .where(isNotNull(column)))
        try {
          texts.push(sealer.open(sealed as string, belongsTo(row)))
        } catch (error) {
          failed.push([purpose, row, error])
        }
      opened.set(purpose, texts)
    }
    const seals = createCredentialSealer(sealer)
    for (const row of await tx.select().from(credentials))
      await seals.open(tx, row, row.sealed).catch((error: unknown) => failed.push(['agent-credential', row.id, error]))
  })
  return { opened, failed }
}

/** How many rows of all tables hold a text that is sealed under this key, wherever. */
export async function rowsUnder(store: Pick<Store, 'system'>, keyId: string): Promise<number> {
  return store.system(async (tx) => {
    const tables = await tx.execute<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    )
    let count = 0
    for (const { name } of tables.rows) {
      const { rows } = await tx.execute<{ n: string }>(
        `select count(*) as n from "${name}" t where t::text like '%v1.${keyId}.%'`,
      )
      count += Number(rows[0]!.n)
    }
    return count
  })
}

export const newKey = (): Buffer => randomBytes(32)
