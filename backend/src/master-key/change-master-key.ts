import { StartError } from '../start-error.ts'
import type { Store } from '../store/connect.ts'
import { keyIdIn, keyIdOf } from '../store/seal.ts'
import { masterKeyFile, previousKeyFile, readKey, replaceKey } from './master-key.file.ts'
import { holdRootKey } from './root-key.store.ts'

/**
 * Puts another master key in the place of the one in the data directory. The control plane goes on with the one before until it is
 * started again. Of several at once one does it.
 * @param store Of the running control plane.
 * @returns The id of the new key.
 * @throws {StartError} When a change before this one has not ended, or another key is in use.
 */
export async function changeMasterKey(store: Pick<Store, 'system'>, dataDir: string): Promise<string> {
  return store.system(async (tx) => {
    // The root key is the last that is sealed anew: while another key seals it, that one is needed. It is held until both files are written.
    const sealedKey = await holdRootKey(tx)
    return keyIdOf(changeFiles(dataDir, sealedKey))
  })
}

/** @throws {StartError} @returns The new key. */
function changeFiles(dataDir: string, sealedKey: string | undefined): Uint8Array {
  const current = readKey(masterKeyFile(dataDir))
  const previous = readKey(previousKeyFile(dataDir))
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
