import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { readIfThere } from '../read-if-there.ts'

/** DTMA as one file, as machines fetch it that run it as a service. */
export interface DtmaBundle {
  /** As its first line says. */
  readonly version: string
  /** SHA-256 of {@link DtmaBundle.bytes}, hex: its name, and what the machine checks. */
  readonly sha256: string
  /** Compressed. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Beside the bundle of the control plane; in the source tree, where the build puts it. */
const BUILT = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/dtma.cjs' : './dtma.cjs', import.meta.url),
)

const SAYS = /^\/\/ agentopia-dtma (\S+)\n/

/** `undefined`: it was not built. */
export function readBundle(path: string = BUILT): DtmaBundle | undefined {
  const program = readIfThere(path)
  if (!program) return undefined
  const version = SAYS.exec(program.toString('utf8', 0, 100))?.[1]
  if (version === undefined) throw new Error(`${path} does not say which version of DTMA it is`)
  const bytes = new Uint8Array(gzipSync(program))
  return { version, sha256: createHash('sha256').update(bytes).digest('hex'), bytes }
}
