import { lockState } from './system/state-lock.ts'
import { type OpenedSpecFiles, openSpecFiles } from './tools/spec-file.ts'
import { type Identity, openIdentity } from './uplink/identity.ts'

/** Everything that DTMA keeps on disk. */
export interface State extends OpenedSpecFiles {
  readonly identity: Identity
  readonly lock: { release(): void }
}

/** @throws {StateInUse} When another process has it; any other error when the directory cannot be read or written. */
export async function openState(directory: string): Promise<State> {
  const lock = await lockState(directory)
  try {
    return { lock, identity: openIdentity(directory), ...(await openSpecFiles(directory)) }
  } catch (error) {
    lock.release()
    throw error
  }
}
