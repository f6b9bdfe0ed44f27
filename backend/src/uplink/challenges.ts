import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** What is handed out to be signed. Nothing is stored of it: any replica knows its own again. */
export interface Challenges {
  issue(toolboxId: string): string
  /** Until when it is good, milliseconds since the epoch; `undefined` when it is none of ours, another toolbox's, or has run out. */
  expiryOf(toolboxId: string, challenge: string): number | undefined
}

const GOOD_MS = 60_000
const RANDOM_BYTES = 16

export function createChallenges(rootKey: Uint8Array, now: () => number): Challenges {
  const key = Buffer.from(hkdfSync('sha256', rootKey, '', 'agentopia renewal challenge', 32))
  const macOf = (toolboxId: string, head: string) =>
    createHmac('sha256', key).update(`${toolboxId}.${head}`).digest('base64url')

  return {
    issue(toolboxId) {
      const head = `${now() + GOOD_MS}.${randomBytes(RANDOM_BYTES).toString('base64url')}`
      return `${head}.${macOf(toolboxId, head)}`
    },
    expiryOf(toolboxId, challenge) {
      const cut = challenge.lastIndexOf('.')
      const head = challenge.slice(0, Math.max(cut, 0))
      const [given, right] = [Buffer.from(challenge.slice(cut + 1)), Buffer.from(macOf(toolboxId, head))]
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      const until = Number(head.split('.', 1)[0])
      return until > now() ? until : undefined
    },
  }
}
