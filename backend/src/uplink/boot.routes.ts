import { problem } from '@agentopia/api'
import { reportBoot } from '@agentopia/dtma/contract'
import type { Hono } from 'hono'
import { createRateLimit } from '../http/rate-limit.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import { mayReport, storeBoot } from './boot.store.ts'
import { mountUplink } from './mount-uplink.ts'

export interface BootRouteDeps {
  readonly store: Store
  readonly clock: Clock
  /** Called after a stage was stored: what waits for it may go on. */
  readonly onNews: (toolboxId: string) => void
}

/** An installation says eight things. */
const RATE = { burst: 20, perSecond: 0.5 } as const

/** Takes what a machine reports of its installation. */
export function bootRoutes(app: Hono, { store, clock, onNews }: BootRouteDeps): void {
  const rate = createRateLimit({ steady: clock.steady, ...RATE })

  mountUplink(app, reportBoot, async ({ body: { toolboxId, ...news } }, token) => {
    if (!token) throw refused()
    if (!rate.admit(digestOf(token))) throw problem('rate-limited', 'This machine reports too often')
    const now = new Date(clock.now())
    await store.system(async (tx) => {
      if (!(await mayReport(tx, token, toolboxId, now))) throw refused()
      await storeBoot(tx, toolboxId, news, now)
    })
    onNews(toolboxId)
    return {}
  })
}

const refused = () => problem('enrolment-refused', 'The token is unknown, expired, used, or of another toolbox')
