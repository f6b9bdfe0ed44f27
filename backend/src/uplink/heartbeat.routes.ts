import { isDeepStrictEqual } from 'node:util'
import { problem, type ToolboxStatus } from '@agentopia/api'
import { heartbeat, type PackageIndexes, type Parsed, type Reply } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import type { Hono } from 'hono'
import { recordActivity } from '../events/activity.store.ts'
import { RateLimited } from '../http/rate-limited.ts'
import type { Clock } from '../reconcile/clock.ts'
import { isTooOld, OLDEST_DTMA } from '../releases/version-floor.ts'
import { digestOf } from '../secret.ts'
import type { Store, Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { moveTo, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { ToldTools } from '../tools/instance.report.ts'
import { requireVersion } from './enrol.routes.ts'
import { lockByBearerToken } from './enrolment.store.ts'
import { createHeartbeatRate, type HeartbeatDoor, notOfToolbox } from './heartbeat.door.ts'
import { orderOf, withSuperseded } from './heartbeat.order.ts'
import { mountUplink } from './mount-uplink.ts'
import { createQuietBeats } from './quiet-beats.ts'
import { createReported, type Report, reportOf } from './reported.ts'
import type { Turns } from './turns.ts'

export interface HeartbeatDeps {
  readonly store: Store
  readonly clock: Clock
  readonly turns: Turns
  /** Where toolboxes take packages from. */
  readonly packages: PackageIndexes
  /** Takes over complete reports about the tools of toolboxes, within the transaction of the heartbeats. */
  readonly onToolReports: (tx: Tx, reports: readonly ToldTools[]) => Promise<void>
  /** Called after a report was stored or the toolbox became active: what depends on it may go on. */
  readonly onNews: (toolboxId: string) => void
}

type Beat = Parsed<typeof heartbeat>['body']

interface Counted {
  readonly toolboxId: string
  /** What depends on it may go on. */
  readonly news: boolean
}

const NEXT_IN_SECONDS = 10
/** From these a life sign makes a toolbox active. */
const REVIVED: readonly ToolboxStatus[] = ['awaiting_heartbeat', 'unresponsive', 'error_provisioning', 'lost']

/** @throws {ProblemError} */
export type TakeHeartbeat = (
  input: Parsed<typeof heartbeat>,
  bearer: string | undefined,
) => Promise<Reply<typeof heartbeat>>

/** Those that come by a connection of their own. */
export const heartbeatRoutes = (app: Hono, take: TakeHeartbeat, door: HeartbeatDoor): void =>
  mountUplink(app, heartbeat, take, door)

/** Takes life signs. One that says nothing new writes two numbers of one row; time is that of the reception. */
export function createHeartbeats(deps: HeartbeatDeps): TakeHeartbeat {
  const { store, clock, turns, packages, onToolReports, onNews } = deps
  const reported = createReported()
  const quiet = createQuietBeats({ store, now: clock.now, onToolReports })
  const requireRate = createHeartbeatRate(clock)

  return async ({ body }, bearer) => {
    if (!bearer) throw notOfToolbox()
    requireRate(digestOf(bearer))
    requireVersion(body.apiVersion)
    const toolboxId = (await takeQuiet(bearer, body)) ?? (await takeOrCountLife(bearer, body))
    return {
      nextInSeconds: NEXT_IN_SECONDS,
      packages,
      wantReport: !reported.hasReported(toolboxId, body.runId),
      ...(isTooOld(body.dtmaVersion) ? { tooOld: { reason: 'version_floor' as const, needed: OLDEST_DTMA } } : {}),
    }
  }

  /** Together with those of others, where it says nothing new. */
  async function takeQuiet(bearer: string, beat: Beat): Promise<string | undefined> {
    if (!isByRightClock(beat, clock.now())) return undefined
    const { tools } = beat
    if (saysNothing(beat)) return quiet.count({ bearer, ...beat })
    if (!tools || !reported.isRepeated(bearer, reportOf(beat))) return undefined
    const counted = await quiet.countReport({ bearer, ...beat, tools })
    if (counted?.isDialled) onNews(counted.toolboxId)
    return counted?.toolboxId
  }

  /** Who is told to come again with his report lives all the same. */
  async function takeOrCountLife(bearer: string, beat: Beat): Promise<string> {
    try {
      return await take(bearer, beat)
    } catch (error) {
      if (error instanceof RateLimited) await quiet.countLife({ bearer, ...beat })
      throw error
    }
  }

  /** Looks at everything that it says. */
  async function take(bearer: string, beat: Beat): Promise<string> {
    const report = reportOf(beat)
    const { toolboxId, news } = await turns.take('heartbeat', () =>
      store.system((tx) => count(tx, bearer, beat, report)),
    )
    // Without Docker a DTMA reports what it can; asking again would not give it eyes.
    if (beat.tools ?? beat.system) reported.store(toolboxId, bearer, report)
    if (news) onNews(toolboxId)
    return toolboxId
  }

  async function count(tx: Tx, bearer: string, beat: Beat, report: Report): Promise<Counted> {
    const now = new Date(clock.now())
    const row = await lockByBearerToken(tx, bearer, now)
    if (!row) throw notOfToolbox()
    const toolboxId = row.id
    const order = orderOf(row, beat)
    if (order === 'superseded') throw problem('superseded', 'A newer run of this DTMA has reported since')
    if (order === 'late') return { toolboxId, news: false }

    const { system, ...changed } = changes(row, beat)
    await tx
      .update(toolboxes)
      .set({
        lastHeartbeatAt: now,
        heartbeatSeq: beat.seq,
        ...takeover(order, row, beat),
        ...changed,
        ...(system === undefined ? {} : { system }),
        ...skew(row, beat, now),
      })
      .where(eq(toolboxes.id, toolboxId))
    if (beat.tools) await onToolReports(tx, [{ toolboxId, tools: beat.tools }])
    const revived = REVIVED.includes(row.status) && (await revive(tx, row, now))
    // A direct road that broke is opened again when its toolbox reports, whatever it says.
    const told = beat.tools !== undefined && (row.direct !== null || !reported.isStored(toolboxId, report))
    return { toolboxId, news: revived || told || Object.keys(changed).length > 0 }
  }
}

async function revive(tx: Tx, row: ToolboxRow, now: Date): Promise<boolean> {
  const moved = await moveTo(tx, row.id, { to: 'active', now, from: REVIVED })
  if (!moved) return false
  const silence = row.lastHeartbeatAt ? Math.round((now.getTime() - row.lastHeartbeatAt.getTime()) / 1_000) : undefined
  const back = row.status === 'unresponsive' && silence !== undefined
  const message = back ? `${row.name} is back after ${silence} s of silence` : `${row.name} is active`
  await recordActivity(tx, {
    accountId: row.accountId,
    actor: 'DTMA',
    action: 'toolbox.active',
    subject: row.id,
    toolboxId: row.id,
    message,
  })
  return true
}

const takeover = (order: 'next' | 'new-run', row: ToolboxRow, { runId }: Beat) =>
  order === 'next' ? {} : { runId, supersededRuns: withSuperseded(row.supersededRuns, row.runId) }

/** Nothing in it but that DTMA lives. */
const saysNothing = ({ tools, system, update, installation }: Beat): boolean =>
  [tools, system, update, installation].every((part) => part === undefined)

const isByRightClock = ({ sentAt }: Beat, now: number): boolean =>
  sentAt === undefined || Math.abs(sentAt - now) < RIGHT_MS

/** Only what differs is written: most life signs say nothing new. */
function changes(row: ToolboxRow, { docker, system, dtmaVersion, update, installation }: Beat): Partial<ToolboxRow> {
  return {
    ...(isDeepStrictEqual(docker, row.docker) ? {} : { docker }),
    ...(system === undefined || isDeepStrictEqual(system, row.system) ? {} : { system }),
    ...(dtmaVersion === row.dtmaVersion ? {} : { dtmaVersion }),
    ...(installation === undefined || installation === row.installation ? {} : { installation }),
    ...(update === undefined || isDeepStrictEqual(update, row.updateState) ? {} : { updateState: update }),
  }
}

/** A clock that is right to half a minute is right: a heartbeat may have been on its way for as long. */
const RIGHT_MS = 30_000
/** What is nearly the same is not written again. */
const SAME_MS = 5_000

function skew({ clockSkewMs }: ToolboxRow, { sentAt }: Beat, now: Date): { clockSkewMs?: number | null } {
  if (sentAt === undefined) return {}
  const offset = sentAt - now.getTime()
  if (Math.abs(offset) < RIGHT_MS) return clockSkewMs === null ? {} : { clockSkewMs: null }
  return clockSkewMs !== null && Math.abs(clockSkewMs - offset) < SAME_MS ? {} : { clockSkewMs: offset }
}
