import {
  type Assertion,
  addPasskey,
  beginPasskey,
  beginPasskeySignIn,
  type NewCredential,
  signInWithPasskey,
} from '@agentopia/api'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { callOperation } from './client.ts'
import { PasskeyNotGiven } from './passkey-not-given.ts'

/** Whether this browser has passkeys at all, and lets this page have them: it must be encrypted, or on this computer. */
export const knowsPasskeys = (): boolean =>
  typeof PublicKeyCredential !== 'undefined' && 'parseCreationOptionsFromJSON' in PublicKeyCredential

interface NewPasskeyInput {
  readonly name: string
  readonly currentPassword: string | undefined
}

/** Makes a passkey in this browser and has it kept. */
export function useNewPasskey() {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: [addPasskey.id],
    mutationFn: async ({ name, currentPassword }: NewPasskeyInput) => {
      const { options } = await callOperation(beginPasskey, {
        body: currentPassword === undefined ? {} : { currentPassword },
      })
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as never)
      const credential = await asked(() => navigator.credentials.create({ publicKey }))
      return callOperation(addPasskey, { body: { name, credential: credential.toJSON() as NewCredential } })
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
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as never)
      const credential = await asked(() => navigator.credentials.get({ publicKey }))
      return callOperation(signInWithPasskey, { body: { credential: credential.toJSON() as Assertion } })
    },
    onSuccess: () => queries.invalidateQueries(),
  })
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
