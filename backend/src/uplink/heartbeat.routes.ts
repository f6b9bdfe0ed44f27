import { isDeepStrictEqual } from 'node:util'
import { problem, type ToolboxStatus } from '@agentopia/api'
import { heartbeat, type PackageIndexes, type Parsed, type ToolStatus } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import type { Hono } from 'hono'
import { recordActivity } from '../events/activity.store.ts'
import { createRateLimit } from '../http/rate-limit.ts'
import type { Clock } from '../reconcile/clock.ts'
import { isTooOld, OLDEST_DTMA } from '../releases/version-floor.ts'
import { digestOf } from '../secret.ts'
import type { Store, Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { moveTo, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { requireVersion } from './enrol.routes.ts'
import { lockByBearerToken } from './enrolment.store.ts'
import { orderOf, withSuperseded } from './heartbeat.order.ts'
import { mountUplink } from './mount-uplink.ts'
import { createQuietBeats } from './quiet-beats.ts'
import type { Turns } from './turns.ts'

export interface HeartbeatRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly turns: Turns
  /** Where toolboxes take packages from. */
  readonly packages: PackageIndexes
  /** Takes over a complete report about the tools of this toolbox, within the transaction of the heartbeat. */
  readonly onToolReport: (tx: Tx, toolboxId: string, tools: readonly ToolStatus[]) => Promise<void>
  /** Called after a report was stored or the toolbox became active: what depends on it may go on. */
  readonly onNews: (toolboxId: string) => void
}

type Beat = Parsed<typeof heartbeat>['body']

/** Which run has reported, and the digest of what it said of the tools. */
interface Reported {
  readonly runId: string
  readonly tools: string
}

interface Counted {
  readonly toolboxId: string
  /** What depends on it may go on. */
  readonly news: boolean
}

const NEXT_IN_SECONDS = 10
/** Far above what a DTMA sends while it deploys tools, far below what would harm the others. */
const RATE = { burst: 30, perSecond: 5 } as const
/** From these a life sign makes a toolbox active. */
const REVIVED: readonly ToolboxStatus[] = ['awaiting_heartbeat', 'unresponsive', 'error_provisioning', 'lost']

/** Takes life signs. One that says nothing new writes two numbers of one row; time is that of the reception. */
export function heartbeatRoutes(
  app: Hono,
  { store, clock, turns, packages, onToolReport, onNews }: HeartbeatRouteDeps,
): void {
  /** What this process has stored last, by toolbox. Forgetting it costs one report. */
  const reported = new Map<string, Reported>()
  const quiet = createQuietBeats({ store, now: clock.now })
  const rate = createRateLimit({ steady: clock.steady, ...RATE })

  mountUplink(app, heartbeat, async ({ body }, bearer) => {
    if (!bearer) throw unauthenticated()
    if (!rate.admit(digestOf(bearer))) throw problem('rate-limited', 'This toolbox sends too many heartbeats')
    requireVersion(body.apiVersion)
    const toolboxId =
      (isQuiet(body, clock.now()) && (await quiet.count({ bearer, ...body }))) || (await take(bearer, body))
    return {
      nextInSeconds: NEXT_IN_SECONDS,
      packages,
      wantReport: reported.get(toolboxId)?.runId !== body.runId,
      ...(isTooOld(body.dtmaVersion) ? { tooOld: { reason: 'version_floor' as const, needed: OLDEST_DTMA } } : {}),
    }
  })

  /** Looks at everything that it says. */
  async function take(bearer: string, beat: Beat): Promise<string> {
    const report = { runId: beat.runId, tools: digestOf(JSON.stringify(beat.tools ?? [])) }
    const { toolboxId, news } = await turns.take('heartbeat', () =>
      store.system((tx) => count(tx, bearer, beat, report)),
    )
    // Without Docker a DTMA reports what it can; asking again would not give it eyes.
    if (beat.tools ?? beat.system) reported.set(toolboxId, report)
    if (news) onNews(toolboxId)
    return toolboxId
  }

  async function count(tx: Tx, bearer: string, beat: Beat, report: Reported): Promise<Counted> {
    const now = new Date(clock.now())
    const row = await lockByBearerToken(tx, bearer, now)
    if (!row) throw unauthenticated()
    const toolboxId = row.id
    const order = orderOf(row, beat)
    if (order === 'superseded') throw problem('superseded', 'A newer run of this DTMA has reported since')
    if (order === 'late') return { toolboxId, news: false }

    const { system, ...changed } = changes(row, beat)
    // Together: the way to the database and back is most of what a report costs.
    await Promise.all([
      tx
        .update(toolboxes)
        .set({
          lastHeartbeatAt: now,
          heartbeatSeq: beat.seq,
          ...takeover(order, row, beat),
          ...changed,
          ...(system === undefined ? {} : { system }),
          ...skew(row, beat, now),
        })
        .where(eq(toolboxes.id, toolboxId)),
      beat.tools && onToolReport(tx, toolboxId, beat.tools),
    ])
    const revived = REVIVED.includes(row.status) && (await revive(tx, row, now))
    // A direct road that broke is opened again when its toolbox reports, whatever it says.
    const told = beat.tools !== undefined && (row.direct !== null || isNews(toolboxId, report))
    return { toolboxId, news: revived || told || Object.keys(changed).length > 0 }
  }

  const isNews = (toolboxId: string, report: Reported): boolean => !isDeepStrictEqual(reported.get(toolboxId), report)
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

/** Nothing in it but that DTMA lives, and by a clock that is right. */
const isQuiet = ({ tools, system, update, installation, sentAt }: Beat, now: number): boolean =>
  [tools, system, update, installation].every((part) => part === undefined) &&
  (sentAt === undefined || Math.abs(sentAt - now) < RIGHT_MS)

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

const unauthenticated = () => problem('unauthenticated', 'The bearer token is not one of a toolbox')
