import {
  type Assertion,
  addPasskey,
  beginPasskey,
  beginPasskeyProof,
  beginPasskeySignIn,
  type NewCredential,
  proveByPasskey,
  signInWithPasskey,
} from '@agentopia/api'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { callOperation } from './client.ts'
import { PasskeyNotGiven } from './passkey-not-given.ts'
import { withPresence } from './presence.ts'

/** Whether this browser has passkeys at all, and lets this page have them: it must be encrypted, or on this computer. */
export const knowsPasskeys = (): boolean =>
  typeof PublicKeyCredential !== 'undefined' && 'parseCreationOptionsFromJSON' in PublicKeyCredential

/** Makes a passkey in this browser and has it kept. */
export function useNewPasskey() {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: [addPasskey.id],
    mutationFn: async (name: string) => {
      const { options } = await withPresence(() => callOperation(beginPasskey, {}))
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as never)
      const credential = await asked(() => navigator.credentials.create({ publicKey }))
      const made = credential.toJSON() as NewCredential
      return withPresence(() => callOperation(addPasskey, { body: { name, credential: made } }))
    },
    onSuccess: () => queries.invalidateQueries(),
  })
}

/** Signs in with whichever passkey the person chooses. */
export function usePasskeySignIn() {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: [signInWithPasskey.id],
    mutationFn: async () => {
      const { options } = await callOperation(beginPasskeySignIn, {})
      return callOperation(signInWithPasskey, { body: { credential: await signedBy(options) } })
    },
    onSuccess: () => queries.invalidateQueries(),
  })
}

/** Shows by a passkey of one's own that one is there. */
export const usePasskeyProof = () =>
  useMutation({
    mutationKey: [proveByPasskey.id],
    mutationFn: async () => {
      const { options } = await callOperation(beginPasskeyProof, {})
      return callOperation(proveByPasskey, { body: { credential: await signedBy(options) } })
    },
  })

async function signedBy(options: object): Promise<Assertion> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as never)
  return (await asked(() => navigator.credentials.get({ publicKey }))).toJSON() as Assertion
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await ask()
    if (credential instanceof PublicKeyCredential) return credential
  } catch (cause) {
    throw new PasskeyNotGiven(reasonOf(cause), { cause })
  }
  throw new PasskeyNotGiven('The browser gave no passkey.')
}

/** Names of exceptions as WebAuthn gives them out. */
function reasonOf(cause: unknown): string {
  const name = cause instanceof DOMException ? cause.name : ''
  if (name === 'InvalidStateError') return 'This device has a passkey for you already.'
  if (name === 'SecurityError')
    return 'Passkeys are bound to the address of the control plane, and this page was opened under another.'
  return 'It was cancelled, took too long, or there is none on this device.'
}
