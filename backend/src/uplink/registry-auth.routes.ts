import { problem } from '@agentopia/api'
import { readRegistryAuth } from '@agentopia/dtma/contract'
import type { Hono } from 'hono'
import { createRateLimit } from '../http/rate-limit.ts'
import type { DtmaRegistry } from '../install/variants.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import { findByBearerToken, findUnusedToken } from './enrolment.store.ts'
import { mountUplink } from './mount-uplink.ts'

export interface RegistryAuthRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly registry?: DtmaRegistry | undefined
}

/** An installation asks once. */
const RATE = { burst: 10, perSecond: 0.1 } as const

/** What opens the registry of DTMA's image, for a machine that is to become a toolbox, or is one. */
export function registryAuthRoutes(app: Hono, { store, clock, registry }: RegistryAuthRouteDeps): void {
  const rate = createRateLimit({ steady: clock.steady, ...RATE })

  mountUplink(app, readRegistryAuth, async (_, token) => {
    if (!token) throw refused()
    if (!rate.admit(digestOf(token))) throw problem('rate-limited', 'This machine asks too often')
    const now = new Date(clock.now())
    const known = await store.system(
      async (tx) => (await findUnusedToken(tx, token, now)) ?? (await findByBearerToken(tx, token, now)),
    )
    if (!known) throw refused()
    return { auths: registry?.login ? { [registryOf(registry.image)]: authOf(registry.login) } : {} }
  })
}

/** The host of a reference. */
const registryOf = (image: string): string => image.split('/', 1)[0]!

const authOf = ({ user, password }: NonNullable<DtmaRegistry['login']>) => ({
  auth: Buffer.from(`${user}:${password}`).toString('base64'),
})

const refused = () => problem('enrolment-refused', 'The token is unknown, expired or used')
