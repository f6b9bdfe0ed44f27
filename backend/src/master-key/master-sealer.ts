import { problem } from '@agentopia/api'
import { createSealer, type Sealer, UnknownKeyError } from '../store/seal.ts'

/**
 * Seals by the master key.
 * @returns A sealer whose `open` throws a {@link ProblemError} `master-key-missing` for what is sealed under a key that is not given.
 */
export function createMasterSealer(current: Uint8Array, others: readonly Uint8Array[] = []): Sealer {
  const sealer = createSealer(current, others)
  return {
    ...sealer,
    open(sealed, belongsTo) {
      try {
        return sealer.open(sealed, belongsTo)
      } catch (cause) {
        if (!(cause instanceof UnknownKeyError)) throw cause
        throw problem('master-key-missing', `It is ${cause.message}`, { cause })
      }
    },
  }
}
