import { createPublicKey, verify } from 'node:crypto'
import { problem } from '@agentopia/api'
import { challenge, type Parsed, renew, renewalText } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import type { Hono } from 'hono'
import { recordActivity } from '../events/activity.store.ts'
import { createRateLimit } from '../http/rate-limit.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf, newSecret } from '../secret.ts'
import type { Store, Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { lockToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { Challenges } from './challenges.ts'
import { BEARER_TTL_MS, RENEW_IN_SECONDS } from './enrolment.store.ts'
import { mountUplink } from './mount-uplink.ts'
import { quarantine } from './quarantine.ts'
import { judgeRenewal } from './renewal.decision.ts'
import type { Turns } from './turns.ts'

export interface RenewalRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly challenges: Challenges
  readonly turns: Turns
  /** Of our TLS key, present and next. */
  readonly pins?: readonly string[] | undefined
  /** Called after a toolbox was quarantined: what is open to it is to be closed. */
  readonly onQuarantined: (toolboxId: string) => void
}

type Asked = Parsed<typeof renew>['body']
type Outcome = { readonly token: string; readonly counter: number } | 'refused' | 'quarantined' | 'quarantined-now'

/** A DTMA renews three times an hour, and at each start. */
const RATE = { burst: 20, perSecond: 0.2 } as const
/** What is refused is put on record, so often. */
const RECORD_RATE = { burst: 5, perSecond: 1 / 60 } as const

/** Renews the credential of a toolbox, and finds out when two machines hold one identity. */
export function renewalRoutes(app: Hono, deps: RenewalRouteDeps): void {
  const { store, clock, challenges, turns, pins, onQuarantined } = deps
  const rate = createRateLimit({ steady: clock.steady, ...RATE })
  const recordRate = createRateLimit({ steady: clock.steady, ...RECORD_RATE })

  mountUplink(app, challenge, async ({ body }) => ({ challenge: challenges.issue(body.toolboxId) }))

  mountUplink(app, renew, async ({ body }) => {
    const outcome = await turns.take('renewal', () => store.system((tx) => renewed(tx, body)))
    if (outcome === 'refused') throw refused()
    if (outcome === 'quarantined-now') onQuarantined(body.toolboxId)
    if (typeof outcome === 'string') throw problem('quarantined', 'Two machines hold the identity of this toolbox')
    const { token, counter } = outcome
    return { dtmaBearerToken: token, counter, renewInSeconds: RENEW_IN_SECONDS, ...(pins ? { pins: [...pins] } : {}) }
  })

  async function renewed(tx: Tx, asked: Asked): Promise<Outcome> {
    const row = await lockToolbox(tx, asked.toolboxId)
    if (!row?.publicKey) return 'refused'
    const now = clock.now()
    if (!signedBy(row.publicKey, asked)) return refuse(tx, row, 'its signature is not that of the toolbox')
    if (!rate.admit(row.id)) throw problem('rate-limited', 'This toolbox renews its credentials too often')
    // Only a living holder of the key gets further: what was recorded on the way signs a challenge of the past.
    const until = challenges.expiryOf(row.id, asked.challenge)
    const used = (row.renewal?.used ?? []).filter((one) => one.until > now)
    if (until === undefined || used.some((one) => one.challenge === asked.challenge))
      return refuse(tx, row, 'it was sent before')
    if (row.status === 'quarantined') return 'quarantined'
    const verdict = judgeRenewal(row, asked)
    if (verdict === 'outdated') return refuse(tx, row, 'it is of an earlier enrolment')
    if (verdict === 'second-holder') return (await quarantine(tx, row, new Date(now))) ? 'quarantined-now' : 'refused'
    if (row.dtmaBearerToken === null) return 'refused' // it is on its way out

    const token = newSecret('dtma')
    const counter = asked.counter + 1
    const late = row.bearerExpiresAt !== null && row.bearerExpiresAt.getTime() <= now
    await tx
      .update(toolboxes)
      .set({
        dtmaBearerToken: digestOf(token),
        bearerExpiresAt: new Date(now + BEARER_TTL_MS),
        renewals: counter,
        renewal: { attempt: asked.attempt, used: [...used, { challenge: asked.challenge, until }] },
        ...(late ? { recoveries: row.recoveries + 1 } : {}),
      })
      .where(eq(toolboxes.id, row.id))
    if (late)
      await record(tx, row, 'toolbox.recovered', `${row.name} is back: its credential had run out, and was renewed`)
    return { token, counter }
  }

  /** On record, for whoever looks after the account; the sender learns nothing. */
  async function refuse(tx: Tx, row: ToolboxRow, why: string): Promise<'refused'> {
    if (recordRate.admit(row.id))
      await record(tx, row, 'toolbox.renewal-refused', `A renewal in the name of ${row.name} was refused: ${why}`)
    return 'refused'
  }
}

function signedBy(publicKey: string, { signature, ...said }: Asked): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
  return verify(null, Buffer.from(renewalText(said)), key, Buffer.from(signature, 'base64'))
}

/** One text for every cause. */
const refused = () => problem('renewal-refused', 'The renewal is not one of this toolbox, or was sent before')

const record = (tx: Tx, { id, accountId }: ToolboxRow, action: string, message: string) =>
  recordActivity(tx, { accountId, actor: 'control plane', action, subject: id, toolboxId: id, message })
