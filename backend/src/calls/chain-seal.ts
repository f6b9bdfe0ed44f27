import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { callChains } from '../store/schema/index.ts'

/** The ends of a chain, as they are kept beside it. */
export type CallChain = typeof callChains.$inferSelect

/** Proves that the ends of a chain were written by a control plane: whoever only has the database cannot make a new one. */
export interface ChainSeal {
  seal(chain: Omit<CallChain, 'seal'>): CallChain
  isSealed(chain: CallChain): boolean
}

/** @param rootKey 32 bytes, in the database only under seal. */
export function createChainSeal(rootKey: Uint8Array): ChainSeal {
  const key = Buffer.from(hkdfSync('sha256', rootKey, '', 'agentopia chain of calls', 32))

  const macOf = (chain: Omit<CallChain, 'seal'>): string =>
    createHmac('sha256', key)
      .update(
        JSON.stringify([
          chain.accountId,
          chain.sequence,
          chain.hash,
          chain.removedSequence,
          chain.removedHash,
          chain.unchained,
          chain.tamperedAt,
        ]),
      )
      .digest('hex')

  return {
    seal: (chain) => ({ ...chain, seal: macOf(chain) }),
    isSealed(chain) {
      const [given, own] = [Buffer.from(chain.seal, 'hex'), Buffer.from(macOf(chain), 'hex')]
      return given.length === own.length && timingSafeEqual(given, own)
    },
  }
}
