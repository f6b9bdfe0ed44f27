import type { DockerState, heartbeat, Parsed } from '@agentopia/dtma/contract'
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { digestOf } from '../secret.ts'
import type { Store, Tx } from '../store/connect.ts'
import { QUIET_SETTING } from '../store/notifications.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { ToldTools } from '../tools/instance.report.ts'
import { bearerHolds } from './enrolment.store.ts'
import { createGathering } from './gathering.ts'

type Beat = Parsed<typeof heartbeat>['body']

/** A life sign with nothing in it but that DTMA lives: nearly all of them. */
interface QuietBeat {
  readonly bearer: string
  readonly runId: string
  readonly seq: number
  readonly dtmaVersion: string
  readonly docker: DockerState
}

/** A report that says of the tools what it said before. */
type RepeatedReport = QuietBeat &
  Pick<Beat, 'system' | 'update' | 'installation'> & { readonly tools: ToldTools['tools'] }

/** What was counted. */
interface CountedReport {
  readonly toolboxId: string
  /** It is dialled by us. */
  readonly isDialled: boolean
}

export interface QuietBeats {
  /**
   * Counts a life sign of an active toolbox that says what is known. @returns The toolbox; `undefined` when it says more, or is
   * nobody's: it is counted by the transaction that looks at everything.
   */
  count(beat: QuietBeat): Promise<string | undefined>
  /** Counts that an active toolbox lives, whatever else it says: that is told again. @returns as {@link count}. */
  countLife(beat: QuietBeat): Promise<string | undefined>
  /** Counts and stores a report whose sender has shown before that it is a toolbox, and has said the same of its tools. @returns as {@link count}. */
  countReport(report: RepeatedReport): Promise<CountedReport | undefined>
}

export interface QuietBeatsDeps {
  readonly store: Pick<Store, 'system'>
  readonly now: () => number
  /** Takes over what toolboxes say of their tools, within the transaction. */
  readonly onToolReports: (tx: Tx, reports: readonly ToldTools[]) => Promise<void>
  readonly gatherMs?: number
}

interface Life {
  readonly beat: QuietBeat
  /** Whatever it says of Docker and its version is told again. */
  readonly isAll: boolean
}

const GATHER_MS = 100
/** Letters of what is said of Docker; nobody has shown yet that he is a toolbox. */
const MOST_SAID = 4_000
/** Letters of what is said of tools: more than that waits with nobody else's. */
const MOST_TOLD = 64_000
const { id, dtmaBearerToken, status, runId, heartbeatSeq, dtmaVersion, docker, clockSkewMs, direct } = toolboxes
const { system, updateState, installation } = toolboxes

/** The next one of the run that reports, of a toolbox about which nothing is to be decided. */
const goesOn = (at: Date): SQL =>
  and(
    bearerHolds(at),
    eq(status, 'active'),
    isNull(clockSkewMs),
    sql`${runId} = b.run_id`,
    sql`${heartbeatSeq} < b.seq`,
  )!

/**
 * Many life signs are one statement: those of a tenth of a second, for which no DTMA minds to wait. A row that somebody works on is left
 * to the whole look, so that nothing waits here. A loss of power may cost the last moments of what only says that DTMA lives: it sends others.
 */
export function createQuietBeats({ store, now, onToolReports, gatherMs = GATHER_MS }: QuietBeatsDeps): QuietBeats {
  const lives = createGathering(gatherMs, countedLives)
  const reports = createGathering(gatherMs, countedReports)

  async function countedLives(batch: ReadonlyMap<string, Life>): Promise<ReadonlyMap<string, string>> {
    const at = new Date(now())
    const said = [...batch].map(([digest, { beat, isAll }]) => ({ ...rowOf(digest, beat), is_all: isAll }))
    const { rows } = await store.system(async (tx) => {
      await tx.execute(
        sql`select set_config('synchronous_commit', 'off', true), set_config(${QUIET_SETTING}, 'on', true)`,
      )
      return tx.execute<{ digest: string; id: string }>(sql`
        with said as (
          select ${id}, b.digest, b.seq
          from ${toolboxes}
          join jsonb_to_recordset(${JSON.stringify(said)}::jsonb)
            as b(digest text, run_id text, seq bigint, version text, docker jsonb, is_all boolean) on ${dtmaBearerToken} = b.digest
          where ${goesOn(at)} and (not b.is_all or (${dtmaVersion} = b.version and ${docker} = b.docker))
          for update of ${toolboxes} skip locked
        )
        update ${toolboxes} set last_heartbeat_at = ${at.toISOString()}::timestamptz, heartbeat_seq = said.seq
        from said where ${id} = said.id
        returning said.digest, ${id}`)
    })
    return new Map(rows.map((row) => [row.digest, row.id]))
  }

  async function countedReports(
    batch: ReadonlyMap<string, RepeatedReport>,
  ): Promise<ReadonlyMap<string, CountedReport>> {
    const at = new Date(now())
    const said = [...batch].map(([digest, report]) => ({
      ...rowOf(digest, report),
      system: report.system,
      update: report.update,
      installation: report.installation,
    }))
    return store.system(async (tx) => {
      const { rows } = await tx.execute<{ digest: string; id: string; dialled: boolean }>(sql`
        with said as (
          select ${id}, b.digest, b.seq, b.system
          from ${toolboxes}
          join jsonb_to_recordset(${JSON.stringify(said)}::jsonb)
            as b(digest text, run_id text, seq bigint, version text, docker jsonb, system jsonb, update jsonb, installation text)
            on ${dtmaBearerToken} = b.digest
          where ${goesOn(at)} and ${dtmaVersion} = b.version and ${docker} = b.docker
            and (b.update is null or ${updateState} = b.update) and (b.installation is null or ${installation} = b.installation)
          for update of ${toolboxes} skip locked
        )
        update ${toolboxes} set last_heartbeat_at = ${at.toISOString()}::timestamptz, heartbeat_seq = said.seq,
          system = coalesce(said.system, ${system})
        from said where ${id} = said.id
        returning said.digest, ${id}, ${direct} is not null as dialled`)
      await onToolReports(
        tx,
        rows.map((row) => ({ toolboxId: row.id, tools: batch.get(row.digest)!.tools })),
      )
      return new Map(rows.map((row) => [row.digest, { toolboxId: row.id, isDialled: row.dialled }]))
    })
  }

  async function countLife(beat: QuietBeat, isAll: boolean): Promise<string | undefined> {
    return JSON.stringify(beat.docker).length > MOST_SAID
      ? undefined
      : lives.add(digestOf(beat.bearer), { beat, isAll })
  }

  return {
    count: (beat) => countLife(beat, true),
    countLife: (beat) => countLife(beat, false),
    countReport: async (report) =>
      JSON.stringify(report.tools).length > MOST_TOLD ? undefined : reports.add(digestOf(report.bearer), report),
  }
}

const rowOf = (digest: string, beat: QuietBeat) => ({
  digest,
  run_id: beat.runId,
  seq: beat.seq,
  version: beat.dtmaVersion,
  docker: beat.docker,
})
