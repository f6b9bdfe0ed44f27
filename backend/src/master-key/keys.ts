import { type CredentialSealer, createCredentialSealer } from '../credentials/credential.seal.ts'
import { keyIdOf, type Sealer } from '../store/seal.ts'
import type { MasterKeys } from './master-key.file.ts'
import { createMasterSealer } from './master-sealer.ts'
import { keepResealing, type ResealDeps } from './reseal.job.ts'
import { openRootKey } from './root-key.store.ts'

export interface Keys {
  /** By the master key. What wants one that is not given is refused as `master-key-missing`. */
  readonly sealer: Sealer
  /** By keys of accounts, which the master key seals. */
  readonly seals: CredentialSealer
  /** What everything is derived from that stays when the master key is changed. */
  readonly rootKey: Uint8Array
  /** Resolves after the signal. */
  readonly stopped: Promise<void>
}

export interface KeysDeps extends Omit<ResealDeps, 'sealer' | 'others'> {
  readonly masterKeys: MasterKeys
}

/**
 * All that opens and seals; what is sealed under another master key than the current one is sealed anew from now on, and what is
 * sealed under one that is not given is told of.
 * @throws {StoreError} When the database wants another master key.
 */
export async function openKeys({ masterKeys, ...deps }: KeysDeps): Promise<Keys> {
  const sealer = createMasterSealer(masterKeys.current, masterKeys.others)
  const rootKey = await deps.store.system((tx) => openRootKey(tx, sealer, masterKeys))
  const others = masterKeys.others.map(keyIdOf).filter((id) => id !== sealer.keyId)
  return {
    sealer,
    seals: createCredentialSealer(sealer),
    rootKey,
    stopped: keepResealing({ ...deps, sealer, others }),
  }
}
