import { followInstanceLogs, ProblemError, problem, readEventStream, readInstanceLogs } from '@agentopia/api'
import { type Client, followToolLogs, LogLine } from '@agentopia/dtma/contract'
import type { Mount, RequestContext } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import { getToolboxRow, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { getInstanceRow } from './instance.store.ts'

export interface LogRouteDeps {
  readonly store: Store
  /** @throws {ProblemError} `toolbox-unreachable`. */
  readonly clientOf: (toolbox: ToolboxRow) => Client
}

type Place = { readonly toolboxId: string; readonly instanceId: string }
type Wanted = { readonly follow: boolean; readonly tail: number; readonly since?: string | undefined }

/** Of what is read at once; a line counts for its text. */
const MOST_CHARACTERS = 50_000
const DEADLINE_MS = 15_000

/** Logs of tool instances: they stay on their toolbox, and are read from there. */
export function logRoutes(mount: Mount, { store, clientOf }: LogRouteDeps): void {
  async function open(
    { toolboxId, instanceId }: Place,
    { follow, tail, since }: Wanted,
    { caller, signal }: Pick<RequestContext, 'caller' | 'signal'>,
  ) {
    const toolbox = await store.tenant(caller.accountId, async (tx) => {
      await getInstanceRow(tx, toolboxId, instanceId)
      return getToolboxRow(tx, toolboxId)
    })
    const query = { follow: String(follow), tail, ...(since ? { since } : {}) }
    const response = await clientOf(toolbox)
      .open(followToolLogs, { params: { name: instanceId }, query }, { signal })
      .catch((error: unknown) => {
        throw translated(error, instanceId)
      })
    return readEventStream(response, LogLine)
  }

  mount.stream(followInstanceLogs, async ({ params, query }, { caller, signal, lastEventId }) =>
    open(params, { ...query, since: lastEventId ?? query.since }, { caller, signal }),
  )

  mount.reply(readInstanceLogs, async ({ params, query: { tail } }, context) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(DEADLINE_MS)])
    const lines: LogLine[] = []
    let characters = 0
    try {
      for await (const { data } of await open(params, { follow: false, tail }, { ...context, signal })) {
        lines.push(data)
        characters += data.line.length
        while (characters > MOST_CHARACTERS && lines.length > 1) characters -= lines.shift()!.line.length
      }
    } catch (error) {
      if (error instanceof ProblemError) throw error
      throw problem('toolbox-unreachable', 'The toolbox did not send the whole log', { cause: error })
    }
    return { lines }
  })
}

/** What DTMA answers about a log, in the words of this API. */
function translated(error: unknown, instanceId: string): unknown {
  if (error instanceof ProblemError && error.code === 'tool-not-found')
    return problem('instance-not-found', `The toolbox has not taken up ${instanceId} yet`, { cause: error })
  return error
}
