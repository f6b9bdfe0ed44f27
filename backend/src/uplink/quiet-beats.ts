import { setTimeout as sleep } from 'node:timers/promises'
import type { DockerState } from '@agentopia/dtma/contract'
import { eq, isNull, sql } from 'drizzle-orm'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import { QUIET_SETTING } from '../store/notifications.ts'
import { toolboxes } from '../store/schema/index.ts'
import { bearerHolds } from './enrolment.store.ts'

/** A life sign with nothing in it but that DTMA lives: nearly all of them. */
interface QuietBeat {
  readonly bearer: string
  readonly runId: string
  readonly seq: number
  readonly dtmaVersion: string
  readonly docker: DockerState
}

export interface QuietBeats {
  /**
   * Counts a life sign of an active toolbox that says what is known. @returns The toolbox; `undefined` when it says more, or is
   * nobody's: it is counted by the transaction that looks at everything.
   */
  count(beat: QuietBeat): Promise<string | undefined>
}

interface Waiting {
  readonly beat: QuietBeat
  readonly resolve: (toolboxId: string | undefined) => void
}

const GATHER_MS = 100
/** Far more than come in while they gather and one statement runs. */
const AT_ONCE = 1_000
/** Letters of what is said of Docker; nobody has shown yet that he is a toolbox. */
const MOST_SAID = 4_000
const { id, dtmaBearerToken, status, runId, heartbeatSeq, dtmaVersion, docker, clockSkewMs } = toolboxes
const NONE: ReadonlyMap<string, string> = new Map()

/**
 * Many life signs are one statement: those of a tenth of a second, for which no DTMA minds to wait. A row that somebody works on is left
 * to the whole look, so that nothing waits here. A loss of power may cost the last moments of them: DTMA sends others.
 */
export function createQuietBeats({
  store,
  now,
  gatherMs = GATHER_MS,
}: {
  readonly store: Pick<Store, 'system'>
  readonly now: () => number
  readonly gatherMs?: number
}): QuietBeats {
  let waiting = new Map<string, Waiting>()
  let running = false

  async function run(): Promise<void> {
    running = true
    while (waiting.size > 0) {
      await sleep(gatherMs)
      const batch = waiting
      waiting = new Map()
      // What cannot be counted together is looked at one by one, and each hears for itself why not.
      const found = await counted([...batch.values()]).catch(() => NONE)
      for (const [digest, { resolve }] of batch) resolve(found.get(digest))
    }
    running = false
  }

  async function counted(batch: readonly Waiting[]): Promise<ReadonlyMap<string, string>> {
    const at = new Date(now())
    const beats = JSON.stringify(
      batch.map(({ beat }) => ({
        digest: digestOf(beat.bearer),
        run_id: beat.runId,
        seq: beat.seq,
        version: beat.dtmaVersion,
        docker: beat.docker,
      })),
    )
    const rows = await store.system(async (tx) => {
      await tx.execute(
        sql`select set_config('synchronous_commit', 'off', true), set_config(${QUIET_SETTING}, 'on', true)`,
      )
      return tx.execute<{ digest: string; id: string }>(sql`
        with said as (
          select ${id}, b.digest, b.seq
          from ${toolboxes}
          join jsonb_to_recordset(${beats}::jsonb) as b(digest text, run_id text, seq bigint, version text, docker jsonb)
            on ${dtmaBearerToken} = b.digest
          where ${bearerHolds(at)} and ${eq(status, 'active')} and ${isNull(clockSkewMs)}
            and ${runId} = b.run_id and ${heartbeatSeq} < b.seq and ${dtmaVersion} = b.version and ${docker} = b.docker
          for update of ${toolboxes} skip locked
        )
        update ${toolboxes} set last_heartbeat_at = ${at.toISOString()}::timestamptz, heartbeat_seq = said.seq
        from said where ${id} = said.id
        returning said.digest, ${id}`)
    })
    return new Map(rows.map(({ digest, id }) => [digest, id]))
  }

  return {
    async count(beat) {
      const digest = digestOf(beat.bearer)
      if (waiting.has(digest) || waiting.size >= AT_ONCE || JSON.stringify(beat.docker).length > MOST_SAID)
        return undefined
      return new Promise((resolve) => {
        waiting.set(digest, { beat, resolve })
        if (!running) void run()
      })
    },
  }
}
