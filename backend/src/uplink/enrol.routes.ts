import { problem, type ToolboxStatus } from '@agentopia/api'
import { API_VERSION, enrol } from '@agentopia/dtma/contract'
import type { Hono } from 'hono'
import { recordActivity } from '../events/activity.store.ts'
import { RateLimited } from '../http/rate-limited.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf, newSecret } from '../secret.ts'
import type { Store, Tx } from '../store/connect.ts'
import type { Sealer } from '../store/seal.ts'
import { sealedKeyOf } from '../toolboxes/dtma-client.ts'
import { waitAnew } from '../toolboxes/provision.store.ts'
import { moveTo } from '../toolboxes/toolbox.store.ts'
import { storeBoot } from './boot.store.ts'
import { BEARER_TTL_MS, consumeToken, storeIdentity } from './enrolment.store.ts'
import { provesKey } from './key-proof.ts'
import { mountUplink, type UplinkHandler } from './mount-uplink.ts'
import { tellOfSpentToken } from './spent-token.ts'
import type { Turns } from './turns.ts'

export interface EnrolRouteDeps {
  readonly store: Store
  readonly sealer: Pick<Sealer, 'seal'>
  readonly clock: Clock
  /** What releases of DTMA are signed with: Ed25519, SPKI DER, base64. */
  readonly releaseKey: string
  readonly turns: Turns
  /** Called after a toolbox got a new identity: a tunnel of its old one is to be closed. */
  readonly onEnrolled: (toolboxId: string) => void
}

/** From these an enrolment brings a toolbox to its first heartbeat. */
const ENROLLING: readonly ToolboxStatus[] = ['provisioning', 'error_provisioning', 'quarantined']

/**
 * Trades an enrolment token and a public key for the two credentials of a toolbox, in one transaction. It is undone when its sender has gone:
 * he asks again, and the later one of two would void what the answer to the other gave.
 */
export function enrolRoutes(app: Hono, { store, sealer, clock, releaseKey, turns, onEnrolled }: EnrolRouteDeps): void {
  const handle: UplinkHandler<typeof enrol> = async ({ body }, _, signal) => {
    requireVersion(body.apiVersion)
    if (!provesKey(body)) throw refused()
    const { toolboxId, token, publicKey, dtmaVersion, machine, renews } = body
    const dtmaBearerToken = newSecret('dtma')
    const backendToDtmaApiKey = newSecret('backend')
    const now = new Date(clock.now())

    const use = { token, toolboxId, publicKey, now }

    const become = async (tx: Tx) => {
      const accountId = await consumeToken(tx, use)
      if (!accountId) return undefined
      const sealedApiKey = sealer.seal(backendToDtmaApiKey, sealedKeyOf({ id: toolboxId, accountId }))
      const bearerTokenDigest = digestOf(dtmaBearerToken)
      const row = await storeIdentity(tx, toolboxId, {
        publicKey,
        bearerTokenDigest,
        bearerExpiresAt: renews ? new Date(now.getTime() + BEARER_TTL_MS) : undefined,
        sealedApiKey,
        dtmaVersion,
        machine,
      })
      if (!row) throw refused()
      const late = await moveTo(tx, toolboxId, { to: 'awaiting_heartbeat', now, from: ENROLLING })
      if (late) await waitAnew(tx, late, now)
      if (row.boot) await storeBoot(tx, toolboxId, { stage: 'enrolled', state: 'done' }, now)
      const rotated = row.keyRotationAsked?.epoch === row.enrolEpoch - 1
      const message = rotated
        ? `${row.name} has other keys; the ones before open nothing any more`
        : `${row.name} enrolled from ${machine.hostname} (${machine.os}, ${machine.arch})`
      await recordActivity(tx, {
        accountId,
        actor: 'DTMA',
        action: rotated ? 'toolbox.keys-rotated' : 'toolbox.enrolled',
        subject: toolboxId,
        toolboxId,
        message,
      })
      if (signal.aborted) throw new RateLimited('Nobody waits for this enrolment any more', 1)
      return row.enrolEpoch
    }
    const epoch = await turns.take('enrolment', () => store.system(become))
    if (epoch === undefined) {
      await store.system((tx) => tellOfSpentToken(tx, use, machine))
      throw refused()
    }
    onEnrolled(toolboxId)
    return { toolboxId, epoch, dtmaBearerToken, backendToDtmaApiKey, releaseKey }
  }
  mountUplink(app, enrol, handle, () => turns.requireRoom('enrolment'))
}

/** @throws {ProblemError} `unsupported-version`. */
export function requireVersion(apiVersion: number): void {
  if (apiVersion !== API_VERSION)
    throw problem('unsupported-version', `This control plane speaks version ${API_VERSION}, not ${apiVersion}`)
}

/** One text for every cause: who guesses learns nothing. */
const refused = () =>
  problem('enrolment-refused', 'The enrolment token is unknown, expired, used, or of another toolbox')
