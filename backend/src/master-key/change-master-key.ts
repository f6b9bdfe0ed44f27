import { StartError } from '../start-error.ts'
import type { Store } from '../store/connect.ts'
import { keyIdIn, keyIdOf } from '../store/seal.ts'
import { masterKeyFile, previousKeyFile, readKey, replaceKey } from './master-key.file.ts'
import { findRootKey } from './root-key.store.ts'

/**
 * Puts another master key in the place of the one in the data directory. The control plane goes on with the one before until it is
 * started again.
 * @param store Of the running control plane.
 * @throws {StartError} When a change before this one has not ended, or another key is in use.
 */
export async function changeMasterKey(store: Pick<Store, 'system'>, dataDir: string): Promise<void> {
  const current = readKey(masterKeyFile(dataDir))
  const previous = readKey(previousKeyFile(dataDir))
  // The root key is the last that is sealed anew: while another key seals it, that one is needed.
  const sealedKey = await store.system(findRootKey)
  const isInUse = (key: Uint8Array | undefined) => key && sealedKey && keyIdIn(sealedKey) === keyIdOf(key)
  if (current && isInUse(current)) return replaceKey(dataDir, current)
  if (isInUse(previous))
    throw new StartError(
      'The change of the master key before this one has not ended',
      'Start the control plane anew, unless that was done since, and wait until its log says that nothing is sealed under the other key.',
    )
  throw new StartError(
    `The control plane does not use the master key of ${masterKeyFile(dataDir)}`,
    'It is given as MASTER_KEY: docs/operations.md says how it is changed there.',
  )
}
