import { type Assertion, type NewCredential, problem } from '@agentopia/api'
import {
  type AuthenticatorTransportFuture,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import type { PasskeyRow } from './passkey.store.ts'

/** A person has so long to touch the authenticator. */
export const CHALLENGE_MS = 5 * 60_000

/** What was made of a new passkey. */
export interface NewPasskey {
  readonly credentialId: string
  readonly publicKey: string
  readonly counter: number
  readonly transports: string[]
  readonly synced: boolean
}

/** Is this challenge one that was given out for this, and not used yet? Asking uses it up. */
type UseChallenge = (challenge: string) => Promise<boolean>

/**
 * Options for browsers, and the check of what they answer (WebAuthn level 3, §7). Bound to the origin at which people open the
 * page, and its host: what was signed for another page is refused. The device must verify the person.
 */
export function createPasskeyCheck(publicUrl: string) {
  const rpId = new URL(publicUrl).hostname

  return {
    async newOptions(person: { readonly userId: string; readonly email: string }, known: readonly PasskeyRow[]) {
      return generateRegistrationOptions({
        rpName: 'Agentopia Toolboxes',
        rpID: rpId,
        userID: new TextEncoder().encode(person.userId),
        userName: person.email,
        timeout: CHALLENGE_MS,
        attestationType: 'none', // which device it is does not matter
        excludeCredentials: known.map(nameOf),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
    },

    /** @throws {ProblemError} `passkey-refused` */
    async readNew(answer: NewCredential, useChallenge: UseChallenge): Promise<NewPasskey> {
      const { registrationInfo: made } = await checked(() =>
        verifyRegistrationResponse({
          response: {
            ...answer,
            clientExtensionResults: {},
            response: { ...answer.response, transports: knownOnes(answer.response.transports ?? []) },
          },
          expectedChallenge: useChallenge,
          expectedOrigin: publicUrl,
          expectedRPID: rpId,
          requireUserVerification: true,
        }),
      )
      if (!made) throw refused('what the browser sent does not hold together')
      return {
        credentialId: made.credential.id,
        publicKey: Buffer.from(made.credential.publicKey).toString('base64url'),
        counter: made.credential.counter,
        transports: made.credential.transports ?? [],
        synced: made.credentialBackedUp,
      }
    },

    /** @param among Of a person who is known; without, it names nobody: which person it is, the passkey says. */
    askOptions: (among?: readonly PasskeyRow[]) =>
      generateAuthenticationOptions({
        rpID: rpId,
        timeout: CHALLENGE_MS,
        userVerification: 'required',
        ...(among ? { allowCredentials: among.map(nameOf) } : {}),
      }),

    /** @returns its count, which may be too low: see {@link isCopied}. @throws {ProblemError} `passkey-refused` */
    async readAssertion(
      answer: Assertion,
      { credentialId, publicKey, userId }: PasskeyRow,
      useChallenge: UseChallenge,
    ): Promise<{ readonly counter: number; readonly synced: boolean }> {
      const { userHandle, ...response } = answer.response
      const { verified, authenticationInfo } = await checked(() =>
        verifyAuthenticationResponse({
          response: { ...answer, response, clientExtensionResults: {} },
          expectedChallenge: useChallenge,
          expectedOrigin: publicUrl,
          expectedRPID: rpId,
          requireUserVerification: true,
          // Counted by us, so that a copy is told from a wrong signature.
          credential: { id: credentialId, publicKey: Buffer.from(publicKey, 'base64url'), counter: 0 },
        }),
      )
      if (!verified) throw refused('its signature is not right')
      if (!userHandle || Buffer.from(userHandle, 'base64url').toString('utf8') !== userId)
        throw refused('it is the passkey of another person')
      return { counter: authenticationInfo.newCounter, synced: authenticationInfo.credentialBackedUp }
    },
  }
}

/** Did somebody else sign with this key too? One that counts goes on counting; one that does not says 0 for ever. */
export const isCopied = (known: number, came: number): boolean => (known > 0 || came > 0) && came <= known

const TRANSPORTS: ReadonlySet<string> = new Set(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'])
const knownOnes = (transports: readonly string[]): AuthenticatorTransportFuture[] =>
  transports.filter((one): one is AuthenticatorTransportFuture => TRANSPORTS.has(one))

const nameOf = ({ credentialId: id, transports }: PasskeyRow) => ({ id, transports: knownOnes(transports) })

/** The library says no by throwing plain errors, of which some quote what came: they are not told further. */
async function checked<Result>(check: () => Promise<Result>): Promise<Result> {
  try {
    return await check()
  } catch (cause) {
    throw refused('it is not signed for this page and this attempt by a device that verified its person', cause)
  }
}

const refused = (why: string, cause?: unknown) =>
  problem('passkey-refused', `The passkey was refused: ${why}`, { cause })
