import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

/** What people were told while something was killed under them. */
export interface Told {
  /** Names of agents that were registered, as their answers said, with the ids of every such answer. */
  readonly acknowledged: Map<string, Set<string>>
  /** How many problems of each kind. */
  readonly refusals: Map<string, number>
  /** What should not have been answered at all: none of 2xx, no 503 that says what it is and when to come again. */
  readonly wrong: string[]
  /** Names of agents of whom an answer was lost on the way. */
  readonly lost: Set<string>
}

export interface Mutations {
  readonly told: Told
  /** Lets everybody finish; who was refused or not answered asks on, with his key, until he is answered. */
  finish(): Promise<void>
}

const LONGEST_ANSWER_MS = 30_000
const PAUSE_MS = 20
/** Whoever repeats for so long is never answered. */
const PATIENCE_MS = 60_000

/**
 * People who register agents as fast as they can, each with a key, and repeat what was not answered.
 * @param where To reach the control plane, now. @param headers That make it a request of somebody's.
 */
export function mutate(where: () => string, headers: () => Record<string, string>, people: number): Mutations {
  const told: Told = { acknowledged: new Map(), refusals: new Map(), wrong: [], lost: new Set() }
  let stopping = false

  async function person(): Promise<void> {
    while (!stopping) {
      const name = `a-${randomUUID()}`
      const key = randomUUID()
      for (const until = performance.now() + PATIENCE_MS; !(await ask(name, key)); await sleep(PAUSE_MS)) {
        if (performance.now() < until) continue
        told.wrong.push(`${name} was never answered`)
        return
      }
      // Whoever repeats what was answered is told the same.
      await ask(name, key)
    }
  }

  /** @returns false when it is to be asked again. */
  async function ask(name: string, key: string): Promise<boolean> {
    let answer: Response
    try {
      answer = await fetch(`${where()}/api/agents`, {
        method: 'POST',
        headers: { ...headers(), 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ name }),
        signal: AbortSignal.timeout(LONGEST_ANSWER_MS),
      })
      const text = await answer.text()
      if (answer.status === 201) {
        const ids = told.acknowledged.get(name) ?? new Set()
        told.acknowledged.set(name, ids.add((JSON.parse(text) as { id: string }).id))
        return true
      }
      if (!isComeAgain(answer)) told.wrong.push(`${answer.status} ${text}`)
      told.refusals.set(String(answer.status), (told.refusals.get(String(answer.status)) ?? 0) + 1)
      return false
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') told.wrong.push(`no answer within ${LONGEST_ANSWER_MS} ms`)
      told.lost.add(name)
      return false
    }
  }

  const everybody = Promise.all(Array.from({ length: people }, person))
  return {
    told,
    async finish() {
      stopping = true
      await everybody
    },
  }
}

const isComeAgain = ({ status, headers }: Response): boolean =>
  status === 503 &&
  Number(headers.get('retry-after')) > 0 &&
  // While it starts there is no application yet, only a server that says so.
  /^(application\/problem\+json|text\/plain)/.test(headers.get('content-type') ?? '')

/** Every agent there is: how many have each name. */
export async function agentsByName(url: string, headers: Record<string, string>): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (let cursor = ''; ; ) {
    const answer = await fetch(`${url}/api/agents?limit=200${cursor}`, { headers })
    const page = (await answer.json()) as { items: { id: string; name: string }[]; nextCursor?: string }
    for (const { id, name } of page.items) found.set(name, [...(found.get(name) ?? []), id])
    if (page.nextCursor === undefined) return found
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
}
