import { randomUUID } from 'node:crypto'
import type { RequestClient } from '@agentopia/dtma/contract'

/** What a client of an earlier revision can be asked, in letters: its session id says it to every replica. */
const LETTERS: readonly (readonly [string, readonly string[]])[] = [
  ['s', ['sampling']],
  ['t', ['sampling', 'tools']],
  ['c', ['sampling', 'context']],
  ['e', ['elicitation']],
  ['f', ['elicitation', 'form']],
  ['u', ['elicitation', 'url']],
  ['r', ['roots']],
]

/** @param said The capabilities in its `initialize`. */
export function newSessionId(said: unknown): string {
  const has = (path: readonly string[]) => path.reduce<unknown>((at, key) => Object(at)[key], said) !== undefined
  const letters = LETTERS.filter(([, path]) => has(path)).map(([letter]) => letter)
  return [randomUUID(), ...(letters.length > 0 ? [letters.join('')] : [])].join('.')
}

/** Whoever forges it deceives only himself: it says what he may be asked. */
export function capabilitiesIn(sessionId: string): RequestClient['capabilities'] {
  const capabilities: Record<string, Record<string, unknown>> = {}
  const letters = /^[0-9a-f-]{36}\.([a-z]{1,10})$/.exec(sessionId)?.[1] ?? ''
  for (const [letter, [ability, part]] of LETTERS)
    if (letters.includes(letter)) {
      capabilities[ability!] ??= {}
      if (part !== undefined) capabilities[ability!]![part] = {}
    }
  return capabilities
}

/** What a client of an earlier revision has told us beside its calls. Forgotten with this process; then it hears more than it asked for. */
export interface ClientMemory {
  logLevel: string
  /** Resources that it subscribed to, as it knows them. */
  readonly uris: Set<string>
  /** Told when they change. */
  onUris: () => void
}

const MOST = 10_000

/** @returns Finds the memory of a client; that of the client heard of longest ago makes room. */
export function createClientMemories(): (client: string) => ClientMemory {
  const memories = new Map<string, ClientMemory>()
  return (client) => {
    const found = memories.get(client) ?? { logLevel: 'debug', uris: new Set<string>(), onUris: () => {} }
    memories.delete(client)
    memories.set(client, found)
    if (memories.size > MOST) memories.delete(memories.keys().next().value!)
    return found
  }
}
