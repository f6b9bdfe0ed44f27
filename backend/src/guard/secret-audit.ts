import { recordActivity } from '../events/activity.store.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import { createSeldom } from '../reconcile/seldom.ts'
import type { Store } from '../store/connect.ts'
import { CONTROL, HIDDEN } from './hidden-text.ts'

/** A call in which secrets were seen, or what is asked for beside calls. */
export interface SecretSighting {
  readonly accountId: string
  readonly agentId: string
  readonly agentName: string
  readonly toolboxId: string | undefined
  /** The capability as it is recorded, with its instance. */
  readonly capability: string
  /** Absent: it was no call. */
  readonly callId?: string
  /** `<where>:<kind>` each. */
  readonly seen: readonly string[]
  readonly blocked: boolean
}

/** Puts secrets in calls on record for people. The call itself carries its own mark: this is what makes them look. */
export interface SecretAudit {
  note(sighting: SecretSighting): void
  /** Resolves when everything noted so far is on record, or given up. */
  settled(): Promise<void>
}

/** A tool that gives its secret with every call is one entry in so many milliseconds, not one a call. */
const ONCE_IN_MS = 10 * 60_000

export interface SecretAuditDeps {
  readonly store: Pick<Store, 'tenant'>
  readonly clock: Pick<Clock, 'steady'>
  readonly log: Log
}

export function createSecretAudit({ store, clock, log }: SecretAuditDeps): SecretAudit {
  const isDue = createSeldom(clock, ONCE_IN_MS)
  const writing = new Set<Promise<void>>()

  const isNews = ({ agentId, capability, seen, blocked }: SecretSighting): boolean =>
    isDue(JSON.stringify([agentId, capability, seen, blocked]))

  async function write({ accountId, agentId, toolboxId, ...sighting }: SecretSighting): Promise<void> {
    const action = sighting.blocked ? 'secret.blocked' : 'secret.redacted'
    await store.tenant(accountId, (tx) =>
      recordActivity(tx, {
        accountId,
        actor: 'control plane',
        action,
        subject: agentId,
        ...(toolboxId === undefined ? {} : { toolboxId }),
        message: messageOf(sighting),
      }),
    )
  }

  return {
    note(given) {
      const sighting = { ...given, seen: given.seen.filter(isOfSecret) }
      if (sighting.seen.length === 0 || !isNews(sighting)) return
      const written = write(sighting)
        .catch((err: unknown) => log.warn({ err, callId: sighting.callId }, 'secrets in a call not put on record'))
        .finally(() => writing.delete(written))
      writing.add(written)
    },
    settled: async () => void (await Promise.all(writing)),
  }
}

/** Colours of a terminal and soft hyphens of a web page are on record with their call, and no news for people. */
const isOfSecret = (seen: string): boolean => ![CONTROL, HIDDEN].some((kind) => seen.endsWith(`:${kind}`))

function messageOf({
  agentName,
  capability,
  callId,
  seen,
  blocked,
}: Pick<SecretSighting, 'agentName' | 'capability' | 'callId' | 'seen' | 'blocked'>): string {
  const what = seen.map((one) => one.replace(/^(.*):(.*)$/, '$2 in the $1')).join(', ')
  return `${blocked ? 'Refused' : 'Took out'} what must not go through ${callId === undefined ? 'a request' : `a call (${callId})`} of ${agentName} to ${capability}: ${what}`
}
