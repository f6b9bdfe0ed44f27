import { open } from 'node:fs/promises'

/** On disk when it resolves; its name is when {@link syncDirectory} has. @param mode Private unless it says otherwise. */
export async function writeSynced(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const file = await open(path, 'w', mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The names in a directory, too, are lost with the power unless they are written. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
