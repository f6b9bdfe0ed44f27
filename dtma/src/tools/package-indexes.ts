import { join } from 'node:path'
import { PackageIndexes } from '../contract/uplink.ts'
import type { Log } from '../log.ts'
import { stateFile } from '../state-file.ts'

/** Where packages come from: as this machine was configured, or else as the control plane said last. */
export interface KnownIndexes {
  readonly npm: string | undefined
  readonly pypi: string | undefined
  /** What the control plane says now. Kept over restarts: the image of a package is named after where it came from. */
  hear(said: PackageIndexes): Promise<void>
}

/** @throws {Error} When what was kept cannot be read. */
export async function openPackageIndexes(
  configured: { readonly npm: string | undefined; readonly pypi: string | undefined },
  stateDirectory: string,
  log: Log,
): Promise<KnownIndexes> {
  const file = stateFile(join(stateDirectory, 'package-indexes.json'), PackageIndexes)
  let kept: PackageIndexes = (await file.read()) ?? {}
  let heard = kept
  return {
    get npm() {
      return configured.npm ?? heard.npm
    },
    get pypi() {
      return configured.pypi ?? heard.pypi
    },
    async hear(said) {
      if (!same(said, heard)) log.info('packages come from elsewhere now', { npm: said.npm, pypi: said.pypi })
      heard = said
      if (same(said, kept)) return
      await file.write(said)
      kept = said
    },
  }
}

const same = (one: PackageIndexes, other: PackageIndexes): boolean => one.npm === other.npm && one.pypi === other.pypi
