import type { JsonRpcAnswer } from '@agentopia/dtma/contract'
import { containerOf } from '../credentials/agent-belt.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { BeltItem } from './authorise.ts'
import { cleanJson } from './clean-text.ts'
import { writtenRequest } from './exchange.ts'
import type { CallUpstream } from './upstream.ts'

type Entry = Readonly<Record<string, unknown>>

/** Lists that the control plane does not keep: prompts, resources, templates of addresses. */
export const LISTS = {
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
} as const
export type ListMethod = keyof typeof LISTS

/** What servers list, asked of them, and remembered for a moment. */
export interface SharedLists {
  /** All pages of one server, cleaned. Empty when it has none, or does not answer in time: one slow server hides nothing of the others. */
  of(item: BeltItem, method: ListMethod): Promise<readonly Entry[]>
  forget(item: BeltItem): void
}

const MEMORY_MS = 5_000
const LIST_MS = 5_000
const MOST_PAGES = 50
const MOST_ENTRIES = 2_000
const MOST_LISTS = 5_000

export function createSharedLists({
  callUpstream,
  clock,
}: {
  readonly callUpstream: CallUpstream
  readonly clock: Pick<Clock, 'steady'>
}): SharedLists {
  const known = new Map<string, { readonly list: Promise<readonly Entry[]>; readonly until: number }>()
  // What an agent's own container lists is that agent's.
  const keyOf = (container: string, method: string) => `${container} ${method}`

  async function read({ instance }: BeltItem, method: ListMethod): Promise<readonly Entry[]> {
    const entries: Entry[] = []
    let cursor: string | undefined
    const signal = AbortSignal.timeout(LIST_MS)
    for (let page = 0; page < MOST_PAGES && entries.length < MOST_ENTRIES; page += 1) {
      const request = writtenRequest(method, cursor === undefined ? {} : { cursor })
      const call = { toolbox: instance.toolbox, instanceId: instance.id, id: 1, request, timeoutMs: LIST_MS, signal }
      const { answer } = await callUpstream(call)
      const found = pageOf(answer, LISTS[method])
      entries.push(...found.entries)
      cursor = found.next
      if (cursor === undefined) break
    }
    return entries.slice(0, MOST_ENTRIES).map((entry) => cleanJson(entry))
  }

  return {
    async of(item, method) {
      const key = keyOf(containerOf(item.instance), method)
      const now = clock.steady()
      const found = known.get(key)
      if (found && now < found.until) return found.list
      // A server that cannot be reached lists nothing now; the next who asks a moment later asks it again.
      const list = read(item, method).catch(() => [])
      known.delete(key)
      known.set(key, { list, until: now + MEMORY_MS })
      if (known.size > MOST_LISTS) known.delete(known.keys().next().value!)
      return list
    },
    forget(item) {
      for (const method of Object.keys(LISTS)) known.delete(keyOf(containerOf(item.instance), method))
    },
  }
}

function pageOf(answer: JsonRpcAnswer, key: string): { entries: Entry[]; next: string | undefined } {
  if ('error' in answer) return { entries: [], next: undefined }
  const { [key]: listed, nextCursor } = answer.result
  return {
    entries: (Array.isArray(listed) ? listed : []).filter((entry) => typeof entry === 'object' && entry !== null),
    next: typeof nextCursor === 'string' ? nextCursor : undefined,
  }
}
