import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** DTMA as one file, as machines fetch it that run it as a service. */
export interface DtmaBundle {
  /** SHA-256 of {@link DtmaBundle.bytes}, hex: its name, and what the machine checks. */
  readonly sha256: string
  /** Compressed. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Beside the bundle of the control plane; in the source tree, where the build puts it. */
const BUILT = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/dtma.cjs' : './dtma.cjs', import.meta.url),
)

/** `undefined`: it was not built. */
export function readBundle(path: string = BUILT): DtmaBundle | undefined {
  let program: Uint8Array
  try {
    program = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const bytes = new Uint8Array(gzipSync(program))
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes }
}
