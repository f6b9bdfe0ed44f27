import { ProblemError } from '@agentopia/api'
import { authoriseAll, type BeltItem } from './authorise.ts'
import type { MakeCall } from './call.ts'
import { type Exchange, untilGone } from './exchange.ts'
import { errorOf, invalidParams, listPage, notThere, type Reply } from './mcp-replies.ts'
import { promptNameOf, promptPlaceOf, resourcePlaceOf, resourceUriOf } from './names.ts'
import { LISTS, type ListMethod, type SharedLists } from './shared-lists.ts'
import { instanceNameOf, type OpenToolbelt } from './toolbelts.ts'

type Entry = Readonly<Record<string, unknown>>

/** The items whose prompts (resources) this agent may use, in the order of the toolbelt. */
export const sharing = ({ toolbelt }: OpenToolbelt, what: 'prompts' | 'resources'): BeltItem[] =>
  toolbelt.items.filter((item) => authoriseAll(toolbelt, item, what) === undefined)

/** One list of all that servers offer, under the names that they have here. */
export async function aggregated({ open, message }: Exchange, method: ListMethod, lists: SharedLists): Promise<Reply> {
  const items = sharing(open, method === 'prompts/list' ? 'prompts' : 'resources')
  const found = await Promise.all(
    items.map(async (item) => (await lists.of(item, method)).flatMap((entry) => named(entry, item, method, open))),
  )
  return listPage(LISTS[method], found.flat(), message)
}

const KEY = { 'prompts/list': 'name', 'resources/list': 'uri', 'resources/templates/list': 'uriTemplate' } as const

function named(entry: Entry, item: BeltItem, method: ListMethod, open: OpenToolbelt): Entry[] {
  const own = entry[KEY[method]]
  if (typeof own !== 'string') return []
  const place = { instanceName: instanceNameOf(item), own }
  // A server whose names are its own may not speak for another: under that name the other would be asked.
  const find = method === 'prompts/list' ? promptPlaceOf : resourcePlaceOf
  const leadsTo = find(own, (name) => open.itemOf(name) !== undefined).instanceName
  if (place.instanceName === undefined && leadsTo !== undefined) return []
  return [{ ...entry, [KEY[method]]: method === 'prompts/list' ? promptNameOf(place) : resourceUriOf(place) }]
}

const COMPLETION_MS = 10_000

/** `completion/complete`: of an argument of a prompt, or of a template of addresses. Permitted as these are, and a call as they are. */
export async function completed({ open, message, response, era }: Exchange, makeCall: MakeCall): Promise<Reply> {
  const { ref, argument, context } = (message.params ?? {}) as Record<string, Entry | undefined>
  const isPrompt = ref?.['type'] === 'ref/prompt'
  const asked = ref?.[isPrompt ? 'name' : 'uri']
  if (typeof asked !== 'string' || !argument) return invalidParams('completion/complete takes a ref and an argument')
  const find = isPrompt ? promptPlaceOf : resourcePlaceOf
  const { instanceName, own } = find(asked, (name) => open.itemOf(name) !== undefined)
  const absent = () => notThere(isPrompt ? 'prompts/get' : 'resources/read', asked, era)
  const { signal } = untilGone(response)
  try {
    const { answer } = await makeCall({
      toolbelt: open.toolbelt,
      via: era === 'modern' ? 'mcp' : 'mcp-legacy',
      method: 'completion/complete',
      completes: isPrompt ? 'prompts' : 'resources',
      item: open.itemOf(instanceName),
      capability: own,
      arguments: { argument, ...(context ? { context } : {}) },
      id: 1,
      timeoutMs: COMPLETION_MS,
      signal,
    })
    return answer
  } catch (error) {
    if (error instanceof ProblemError || signal.aborted) return errorOf(error, absent, signal)
    throw error
  }
}
