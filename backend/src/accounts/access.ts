import type { Hono } from 'hono'
import type { ClientAddress } from '../http/client-address.ts'
import type { Mount } from '../http/mount.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { apiTokenRoutes } from './api-token.routes.ts'
import { createAttemptLimit } from './attempt-limit.ts'
import { createAuth } from './auth.ts'
import { type AuthenticatorDeps, createAuthenticator } from './authenticate.ts'
import { invitationRoutes } from './invitation.routes.ts'
import { memberRoutes } from './member.routes.ts'
import { createDocumentReader, type ReadClientDocument } from './oauth/client-document.ts'
import { consentRoutes } from './oauth/consent.routes.ts'
import { createClientFinder } from './oauth/find-client.ts'
import { createConnectedFinder } from './oauth/find-connected.ts'
import { challengeOf } from './oauth/metadata.ts'
import { oauthRoutes } from './oauth/oauth.routes.ts'
import { createPasskeyProver } from './passkey.prover.ts'
import { passkeyRoutes } from './passkey.routes.ts'
import { createPasswordCheck } from './password-check.ts'
import { presenceRoutes } from './presence.routes.ts'
import { createPresence } from './presence.ts'
import { sessionRoutes } from './session.routes.ts'
import { createSignOnAttempts } from './sign-on.attempt.ts'
import type { SignOnConfig } from './sign-on.config.ts'
import { signOnRoutes } from './sign-on.routes.ts'
import { providerIdOf } from './sign-on.store.ts'
import { createSignedIn } from './signed-in.ts'

export interface AccessDeps {
  readonly store: Store
  readonly rootKey: Uint8Array
  readonly clock: Clock
  readonly log: Log
  readonly publicUrl: string
  /** The MCP endpoint, that programs are connected with. */
  readonly mcpUrl: string
  /** Absent: there is no single sign-on. */
  readonly signOn: SignOnConfig | undefined
  /** Absent: from public addresses, by https. */
  readonly readClientDocument: ReadClientDocument | undefined
  readonly findAgent: AuthenticatorDeps['findAgent']
  readonly clientAddress: ClientAddress
}

/** Failures within a minute at the password of one address, whoever tries, wherever it is asked for. */
const PASSWORD_FAILURES = 5
/** Failures within a minute from one address, whichever way in is tried. */
const ADDRESS_FAILURES = 20

/** Who comes in, and as whom: people by session or token, programs because a person let them; and the people of an account. */
export function createAccess(deps: AccessDeps) {
  const { store, rootKey, clock, log, publicUrl, mcpUrl, signOn, findAgent, clientAddress } = deps
  const auth = createAuth({ database: store.database, rootKey, publicUrl, log })
  const { authenticate, byBearer, forgetTokens } = createAuthenticator({ store, auth, clock, log, findAgent })
  const signOnProviderId = signOn && providerIdOf(signOn.issuer)
  const presence = createPresence({ store, clock, signOnProviderId })

  // Programs that act as an agent, because a person let them.
  const server = { issuer: publicUrl, resource: mcpUrl }
  const clients = createClientFinder(store, clock, deps.readClientDocument ?? createDocumentReader())
  const connected = createConnectedFinder({ store, clock, log, resource: mcpUrl })
  const oauth = { store, clock, server, clients, forgetConnected: connected.forget }

  /** A revocation holds at once in this process. */
  function forgetEverybody(): void {
    forgetTokens()
    connected.forget()
  }

  return {
    authenticate,
    authenticateBearer: byBearer,
    requirePresence: presence.require,
    /** Which agent a program's token stands for. */
    findConnected: connected.find,
    forgetEverybody,
    /** What a program without a right token is told. */
    challenge: challengeOf(server),

    routes(mount: Mount, uplink: Hono): void {
      const byAccount = createAttemptLimit({
        perMinute: PASSWORD_FAILURES,
        clock,
        what: 'failed sign-ins of this account',
      })
      const byAddress = createAttemptLimit({
        perMinute: ADDRESS_FAILURES,
        clock,
        what: 'failed sign-ins from this address',
      })
      const checkPassword = createPasswordCheck({ store, auth, byAccount, byAddress })
      const signedIn = createSignedIn({ store, auth, clock, signOnProviderId })
      const passkeys = createPasskeyProver({ store, clock, publicUrl, byAddress })
      const attempts = createSignOnAttempts({ store, clock, publicUrl, signOn })
      sessionRoutes(mount, { store, auth, clock, byAddress, checkPassword, signedIn })
      passkeyRoutes(mount, { store, clock, passkeys, signedIn, signOnProviderId })
      signOnRoutes(mount, { store, clock, byAddress, attempts, presence, signedIn })
      presenceRoutes(mount, { store, presence, checkPassword, passkeys, attempts })
      apiTokenRoutes(mount, { store, forgetTokens })
      memberRoutes(mount, { store, forgetEverybody })
      invitationRoutes(mount, { store, auth, clock, checkPassword, signedIn, publicUrl })
      consentRoutes(mount, oauth)
      oauthRoutes(uplink, { ...oauth, clientAddress })
    },
  }
}
