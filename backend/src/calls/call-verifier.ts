import type { CallVerification } from '@agentopia/api'
import type { Store } from '../store/connect.ts'
import { BEGINNING, type ChainedCall, type ChainPosition, hashOf } from './call-chain.ts'
import { countUnchained, findChain, readChain } from './chain.store.ts'
import type { CallChain, ChainSeal } from './chain-seal.ts'

/** What is checked, and how. */
export interface VerifyDeps {
  readonly store: Pick<Store, 'tenant'>
  readonly seal: ChainSeal
  /** Records that are held at once. */
  readonly pageSize?: number
}

type Broken = NonNullable<CallVerification['broken']>

/**
 * Follows the chain of an account's calls from its beginning to its end as it is now, and stops at the first thing that is wrong.
 * @param known A head that was noted earlier, somewhere else: it must be in the chain.
 * @throws {ProblemError} `store-unavailable`; or the reason of `signal`.
 */
export async function verifyCallChain(
  { store, seal, pageSize = 1_000 }: VerifyDeps,
  accountId: string,
  { known, signal }: { readonly known?: ChainPosition | undefined; readonly signal: AbortSignal },
): Promise<CallVerification> {
  for (;;) {
    const before = await store.tenant(accountId, (tx) => findChain(tx, accountId))
    const found = await follow(before)
    const after = await store.tenant(accountId, (tx) => findChain(tx, accountId))
    // The rule for old records took some away meanwhile: what looked missing may have been those.
    if (!found.broken || before?.removedSequence === after?.removedSequence) return found
  }

  async function follow(chain: CallChain | undefined): Promise<CallVerification> {
    const unchained = await store.tenant(accountId, (tx) => countUnchained(tx, accountId))
    const begin: ChainPosition = chain ? { sequence: chain.removedSequence, hash: chain.removedHash } : BEGINNING
    const end: ChainPosition = chain ?? BEGINNING
    const head = { sequence: end.sequence, hash: end.hash }
    let checked = 0
    const result = (broken?: Broken): CallVerification => ({
      intact: broken === undefined,
      checked,
      head,
      ...(begin.sequence > 0 ? { removed: begin } : {}),
      unchained,
      ...(broken ? { broken } : {}),
    })

    const atTheEnds = chain && wrongEnds(chain, seal)
    if (atTheEnds) return result(atTheEnds)
    if (known && known.sequence > head.sequence)
      return result(
        lost(known, `The chain ends at ${head.sequence}, before the record ${known.sequence} that was noted`),
      )
    if (known && known.sequence === begin.sequence && known.hash !== begin.hash) return result(lost(known))

    let last = begin
    while (last.sequence < head.sequence) {
      signal.throwIfAborted()
      const range = { after: last.sequence, last: head.sequence, limit: pageSize }
      const page = await store.tenant(accountId, (tx) => readChain(tx, accountId, range))
      for (const record of page) {
        const broken = wrongWith(record, last, known)
        if (broken) return result(broken)
        checked += 1
        last = record
      }
      if (page.length === 0) break
    }
    if (last.sequence !== head.sequence)
      return result({
        sequence: last.sequence + 1,
        reason: 'missing',
        message: `${head.sequence - last.sequence} records at the end are missing`,
      })
    if (last.hash !== head.hash)
      return result({
        sequence: head.sequence,
        reason: 'head',
        message: 'The last record is not the one that the chain ends with',
      })
    if (chain ? unchained > chain.unchained : false)
      return result({
        sequence: head.sequence,
        reason: 'added',
        message: 'There are records outside the chain that were added later',
      })
    return result()
  }
}

function wrongEnds(chain: CallChain, seal: ChainSeal): Broken | undefined {
  const { sequence, tamperedAt } = chain
  if (!seal.isSealed(chain))
    return { sequence, reason: 'seal', message: 'The end of the chain was not written by this control plane' }
  if (tamperedAt === null) return undefined
  return {
    sequence: tamperedAt,
    reason: 'seal',
    message: 'The end of the chain was once not written by this control plane',
  }
}

const lost = ({ sequence }: ChainPosition, message = 'The record that was noted is not in the chain'): Broken => ({
  sequence,
  reason: 'not-found',
  message,
})

/** @param last The record before it. */
function wrongWith(record: ChainedCall, last: ChainPosition, known: ChainPosition | undefined): Broken | undefined {
  const { sequence, id, hash, previousHash } = record
  const broken = (reason: Broken['reason'], message: string): Broken => ({ sequence, callId: id, reason, message })
  if (sequence !== last.sequence + 1)
    return {
      sequence: last.sequence + 1,
      reason: 'missing',
      message: `${sequence - last.sequence - 1} records are missing`,
    }
  if (hashOf(record) !== hash) return broken('altered', 'The record is not as it was written')
  if (previousHash !== last.hash) return broken('unlinked', 'The record does not follow the one before it')
  if (known?.sequence === sequence && known.hash !== hash) return lost(known)
  return undefined
}
