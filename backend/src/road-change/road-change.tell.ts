import { ProblemError, problem } from '@agentopia/api'
import { type Client, type Input, type RoadState, setRoad } from '@agentopia/dtma/contract'
import { evidenceOf, isUnreadable } from '../toolboxes/no-answer.ts'

/** DTMA answers at once: it opens or closes a port. */
const TELL_MS = 9_000

export type Wish = Input<typeof setRoad>['body']

/**
 * Tells DTMA which roads it is to have open, by the road in use.
 * @returns The problem when it did not do it, or was not heard to: the other road may be open all the same. Throws when `signal` aborts, and only then.
 */
export async function tellRoad(
  clientOf: () => Client,
  body: Wish,
  signal: AbortSignal,
): Promise<RoadState | ProblemError> {
  const limit = AbortSignal.timeout(TELL_MS)
  try {
    return await clientOf().call(setRoad, { body }, { signal: AbortSignal.any([signal, limit]) })
  } catch (cause) {
    if (signal.aborted) throw cause
    if (limit.aborted) return problem('toolbox-unreachable', `DTMA did not answer within ${TELL_MS} ms`)
    if (cause instanceof ProblemError) return cause
    const what = isUnreadable(cause) ? 'What DTMA answered cannot be read' : 'Its answer did not come through'
    return problem('toolbox-unreachable', `${what}: ${evidenceOf(cause)}`, { cause })
  }
}
