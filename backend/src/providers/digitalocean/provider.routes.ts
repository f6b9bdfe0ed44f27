import {
  getProvider,
  listProviderOptions,
  type ProviderState,
  problem,
  removeProviderToken,
  setProviderToken,
} from '@agentopia/api'
import { and, count, eq, isNull } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import type { Mount } from '../../http/mount.ts'
import type { IdPrefix } from '../../new-id.ts'
import type { Clock } from '../../reconcile/clock.ts'
import type { Store, Tx } from '../../store/connect.ts'
import { providers, toolboxes } from '../../store/schema/index.ts'
import type { Sealer } from '../../store/seal.ts'
import { type DigitalOceanAccounts, findProviderRow, type ProviderRow, sealedTokenOf } from './accounts.ts'
import type { DigitalOcean } from './client.ts'
import { type Options, problemOf } from './options.ts'
import { missingScopes, teamOf } from './scopes.ts'

export interface ProviderRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly sealer: Pick<Sealer, 'seal'>
  readonly newId: (prefix: IdPrefix) => string
  readonly accounts: DigitalOceanAccounts
  readonly options: Options
}

const DEADLINE_MS = 60_000
const HINT = 4

export function providerRoutes(
  mount: Mount,
  { store, clock, sealer, newId, accounts, options }: ProviderRouteDeps,
): void {
  mount.reply(getProvider, (_, { caller }) =>
    store.tenant(caller.accountId, async (tx) => stateOf(await findProviderRow(tx))),
  )

  mount.reply(listProviderOptions, (_, { caller }) => options.of(caller.accountId))

  mount.reply(setProviderToken, async ({ body: { token } }, { caller, signal }) => {
    const { accountId } = caller
    const limit = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
    const { missing, teamId } = await judge(accounts.clientWith(token), limit).catch((error: unknown) => {
      throw problemOf(error)
    })
    return store.tenant(accountId, async (tx) => {
      const left = await countDroplets(tx)
      // Without droplets it does not matter whose the token before was.
      const before = left > 0 ? (await findProviderRow(tx))?.teamId : undefined
      if (before && teamId && before !== teamId) throw problem('provider-in-use', otherTeam(left))
      const facts = {
        token: sealer.seal(token, sealedTokenOf(accountId)),
        hint: token.slice(-HINT),
        missingScopes: missing,
        teamId: teamId ?? before ?? null,
        validatedAt: new Date(clock.now()),
      }
      const [row] = await tx
        .insert(providers)
        .values({ id: newId('prov'), accountId, provider: 'digitalocean', ...facts })
        .onConflictDoUpdate({ target: [providers.accountId, providers.provider], set: facts })
        .returning()
      const lacks = missing.length === 0 ? '' : `; it lacks ${missing.join(', ')}`
      const message = `Stored the token of DigitalOcean that ends in ${facts.hint}${lacks}`
      await recordActivity(tx, {
        accountId,
        actor: caller.actor,
        action: 'provider.token-set',
        subject: row!.id,
        message,
      })
      return stateOf(row)
    })
  })

  mount.reply(removeProviderToken, (_, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const left = await countDroplets(tx)
      if (left > 0) throw problem('provider-in-use', `${left} toolbox(es) are droplets of this token`)
      const [gone] = await tx.delete(providers).where(eq(providers.provider, 'digitalocean')).returning()
      if (!gone) return undefined
      const { accountId, actor } = caller
      const message = `Removed the token of DigitalOcean that ends in ${gone.hint}`
      await recordActivity(tx, { accountId, actor, action: 'provider.token-removed', subject: gone.id, message })
      return undefined
    }),
  )
}

async function judge(client: DigitalOcean, signal: AbortSignal) {
  return { missing: await missingScopes(client, signal), teamId: await teamOf(client, signal) }
}

/** Toolboxes of the account that are droplets, also those that are on their way there or away. */
async function countDroplets(tx: Tx): Promise<number> {
  const using = and(eq(toolboxes.provider, 'digitalocean'), isNull(toolboxes.deletedAt))
  const [left] = await tx.select({ count: count() }).from(toolboxes).where(using)
  return left?.count ?? 0
}

/** With its token every droplet of the other team would look as if it were gone. */
const otherTeam = (left: number): string =>
  `The token is of another team at DigitalOcean, and ${left} toolbox(es) are droplets of the one before: give a token of that team, or remove them first`

const stateOf = (row: ProviderRow | undefined): ProviderState =>
  row
    ? { configured: true, hint: row.hint, missingScopes: row.missingScopes, validatedAt: row.validatedAt.toISOString() }
    : { configured: false, missingScopes: [] }
