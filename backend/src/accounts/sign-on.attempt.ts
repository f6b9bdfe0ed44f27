import { createHmac, randomBytes } from 'node:crypto'
import { problem } from '@agentopia/api'
import * as z from 'zod'
import type { Caller } from '../http/caller.ts'
import type { BrowserSession } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import { createAttemptLimit } from './attempt-limit.ts'
import { rememberProof, takeProof } from './proof.store.ts'
import type { SignOnConfig } from './sign-on.config.ts'
import { createSignOnProvider, type SignOnSecrets } from './sign-on.provider.ts'

export interface SignOnAttemptDeps {
  readonly store: Store
  readonly clock: Clock
  readonly publicUrl: string
  /** Absent: there is no single sign-on. */
  readonly signOn: SignOnConfig | undefined
}

/** What somebody goes to the provider for. Whoever is signed in comes back in the same session, or for nothing. */
export type SignOnPurpose =
  | { readonly kind: 'sign-in'; readonly to: string }
  | { readonly kind: 'link' | 'prove'; readonly userId: string; readonly sessionId: string }

/** An attempt that came back to the browser that began it. */
export interface TakenAttempt {
  readonly purpose: SignOnPurpose
  /** Milliseconds since the epoch. */
  readonly begunAt: number
  readonly secrets: SignOnSecrets
}

export type SignOnAttempts = ReturnType<typeof createSignOnAttempts>

/** A person may take so long at the provider. */
const ATTEMPT_MS = 10 * 60_000
/** Within a minute, from one address: each begun costs a request to the provider. */
const BEGUN = 30

/** Where the provider sends browsers back to: a route of the page. */
const signOnRedirect = (publicUrl: string): string => `${publicUrl}/signed-on`

/** What is remembered of an attempt; nothing of it is secret. */
const Remembered = z.object({
  browser: z.string(),
  begunAt: z.number(),
  purpose: z.union([
    z.object({ kind: z.literal('sign-in'), to: z.string() }),
    z.object({ kind: z.enum(['link', 'prove']), userId: z.string(), sessionId: z.string() }),
  ]),
})

/** Browsers that were sent to the provider, each to come back once. */
export function createSignOnAttempts({ store, clock, publicUrl, signOn }: SignOnAttemptDeps) {
  const provider = signOn && createSignOnProvider(signOn, signOnRedirect(publicUrl))
  const begun = createAttemptLimit({ perMinute: BEGUN, clock, what: 'sign-ins begun from this address' })
  const cookie = attemptCookie(publicUrl)

  /** @throws {ProblemError} `sign-on-off` */
  function configured() {
    if (signOn && provider) return { signOn, provider }
    throw problem('sign-on-off', 'This control plane is configured with no provider of single sign-on')
  }

  return {
    configured,

    /**
     * Where the browser goes. To prove that somebody is there, the provider has to ask him anew.
     * @throws {ProblemError} `sign-on-off`, `provider-refused`, `provider-unavailable`; {RateLimited}
     */
    async begin(
      purpose: SignOnPurpose,
      browser: BrowserSession,
      signal: AbortSignal,
    ): Promise<{ authorizationUrl: string }> {
      const { provider } = configured()
      begun.take(browser.address)
      const secret = randomBytes(32).toString('base64url')
      const secrets = secretsOf(randomBytes(32).toString('base64url'), secret)
      const authorizationUrl = await provider.authorizationUrl(secrets, { anew: purpose.kind === 'prove' }, signal)
      const begunAt = clock.now()
      const remembered = JSON.stringify({ browser: digestOf(secret), begunAt, purpose })
      const proof = { purpose: 'sign-on', secret: secrets.state } as const
      await store.system((tx) => rememberProof(tx, proof, remembered, new Date(begunAt + ATTEMPT_MS)))
      browser.setCookies([cookie.set(secret)])
      return { authorizationUrl }
    },

    /** Uses an attempt up. @throws {ProblemError} `sign-on-refused` when it is not that of this browser and session. */
    async take(state: string, caller: Caller | undefined, browser: BrowserSession): Promise<TakenAttempt> {
      browser.setCookies([cookie.clear])
      const secret = cookie.read(browser)
      const proof = { purpose: 'sign-on', secret: state } as const
      const value = await store.system((tx) => takeProof(tx, proof, new Date(clock.now())))
      if (value === undefined)
        throw refused('No such sign-in is open: it was used, took longer than ten minutes, or was made up')
      const { browser: begunIn, begunAt, purpose } = Remembered.parse(JSON.parse(value))
      // Else somebody could have this browser signed in as himself.
      if (secret === undefined || digestOf(secret) !== begunIn)
        throw refused('It was begun in another browser, or another tab')
      if (purpose.kind !== 'sign-in' && purpose.sessionId !== sessionOf(caller))
        throw refused('Another person is signed in here than began it, or the same one anew')
      return { purpose, begunAt, secrets: secretsOf(state, secret) }
    },
  }
}

/** The proof key and the nonce are made of what only this browser has: stored nowhere, and the attempt is bound to it. */
function secretsOf(state: string, secret: string): SignOnSecrets {
  const made = (what: string) => createHmac('sha256', secret).update(`${what} ${state}`).digest('base64url')
  return { state, nonce: made('nonce'), verifier: made('verifier') }
}

const sessionOf = (caller: Caller | undefined): string | undefined =>
  caller?.kind === 'user' ? caller.sessionId : undefined

function attemptCookie(publicUrl: string) {
  const secure = publicUrl.startsWith('https:')
  const name = secure ? '__Host-agentopia-sign-on' : 'agentopia-sign-on'
  const flags = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  const pattern = new RegExp(`(?:^|;\\s*)${name}=([\\w-]{43})(?:;|$)`)
  return {
    set: (secret: string) => `${name}=${secret}; Max-Age=${ATTEMPT_MS / 1_000}; ${flags}`,
    clear: `${name}=; Max-Age=0; ${flags}`,
    read: (browser: BrowserSession) => pattern.exec(browser.headers.get('cookie') ?? '')?.[1],
  }
}

export const refused = (why: string) => problem('sign-on-refused', why)
