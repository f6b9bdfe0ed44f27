import { getCredential, problem, putCredential, revokeCredential } from '@agentopia/api'
import { getAgentRow } from '../agents/agent.store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { findRecipe } from '../catalog/recipe-of.ts'
import { deleteConnection, findConnection } from '../connections/connection.store.ts'
import { connectionViewOf } from '../connections/connection.values.ts'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { IdPrefix } from '../new-id.ts'
import type { Store, Tx } from '../store/connect.ts'
import { agentToolNameOf, wantAgentTool } from './agent-tool.store.ts'
import type { CredentialSealer } from './credential.seal.ts'
import {
  type CredentialPlace,
  type CredentialRow,
  deleteCredential,
  findCredential,
  getCredentialPlace,
  storeCredential,
} from './credential.store.ts'
import { changedValues, credentialViewOf, hintsOf, isComplete } from './credential.values.ts'

export interface CredentialRouteDeps {
  readonly store: Store
  readonly catalog: Catalog
  readonly seals: CredentialSealer
  readonly newId: (prefix: IdPrefix) => string
  /** Wakes the reconciler of agent tools. */
  readonly wake: (name: string) => void
  /** Ends what this process remembers of the account's toolbelts. */
  readonly forget: (accountId: string) => void
}

export function credentialRoutes(mount: Mount, deps: CredentialRouteDeps): void {
  const { store, catalog, seals, newId, wake, forget } = deps
  const fieldsOf = (place: CredentialPlace) => findRecipe(catalog, place)?.secrets ?? []

  async function placeOf(tx: Tx, { agentId, toolbeltItemId }: { agentId: string; toolbeltItemId: string }) {
    const agent = await getAgentRow(tx, agentId)
    return { agent, place: await getCredentialPlace(tx, agent.id, toolbeltItemId) }
  }

  async function viewOf(tx: Tx, place: CredentialPlace, stored: CredentialRow | undefined) {
    const wanted = findRecipe(catalog, place)?.oauth
    const connection = wanted && connectionViewOf(wanted, await findConnection(tx, place.itemId))
    return credentialViewOf(place.itemId, fieldsOf(place), stored, connection)
  }

  /** The token of a connection is written by it alone: what a person stored would be gone with the next refresh. */
  async function refuseConnected(tx: Tx, { itemId }: CredentialPlace, values: object): Promise<void> {
    const connection = await findConnection(tx, itemId)
    if (connection && Object.hasOwn(values, connection.field))
      throw problem('invalid-credential', `${connection.field} comes from a connection; end that first`)
  }

  function changed({ accountId, instanceId, agentId }: CredentialPlace): void {
    forget(accountId)
    wake(agentToolNameOf(instanceId, agentId))
  }

  mount.reply(getCredential, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const { place } = await placeOf(tx, params)
      return viewOf(tx, place, await findCredential(tx, place.itemId))
    }),
  )

  mount.reply(putCredential, async ({ params, body }, { caller }) => {
    const { place, view } = await store.tenant(caller.accountId, async (tx) => {
      const { agent, place } = await placeOf(tx, params)
      const fields = fieldsOf(place)
      const before = await findCredential(tx, place.itemId, true)
      await refuseConnected(tx, place, body.values)
      const held = before ? await seals.open(tx, before, before.sealed) : {}
      const values = changedValues(fields, held, body.values)
      if (before && isSame(held, values)) return { place, view: await viewOf(tx, place, before) }

      const { accountId, itemId: toolbeltItemId } = place
      const next = { id: before?.id ?? newId('cred'), accountId, version: (before?.version ?? 0) + 1 }
      const sealed = await seals.seal(tx, next, values)
      const stored = await storeCredential(tx, { ...next, toolbeltItemId, sealed, hints: hintsOf(values) })
      // Tried at once: nobody shall learn from an agent that a key is wrong.
      if (isComplete(fields, stored)) await wantAgentTool(tx, place)
      const deed = before ? 'Rotated' : 'Stored'
      await record(
        tx,
        caller,
        before ? 'credential.rotated' : 'credential.stored',
        place,
        `${deed} the secrets of ${agent.name} for ${place.instanceName}`,
      )
      return { place, view: await viewOf(tx, place, stored) }
    })
    changed(place)
    return view
  })

  mount.reply(revokeCredential, async ({ params }, { caller }) => {
    const place = await store.tenant(caller.accountId, async (tx) => {
      const { agent, place } = await placeOf(tx, params)
      const before = await findCredential(tx, place.itemId, true)
      await deleteConnection(tx, place.itemId)
      if (!before) return place
      await deleteCredential(tx, before.id)
      await record(
        tx,
        caller,
        'credential.revoked',
        place,
        `Revoked the secrets of ${agent.name} for ${place.instanceName}`,
      )
      return place
    })
    changed(place)
    return undefined
  })
}

const isSame = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([key, value]) => other[key] === value)

const record = (tx: Tx, caller: Caller, action: string, place: CredentialPlace, message: string) =>
  recordActivity(tx, {
    accountId: place.accountId,
    actor: caller.actor,
    action,
    subject: place.agentId,
    toolboxId: place.toolboxId,
    message,
  })
