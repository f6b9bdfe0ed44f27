import { ProblemError } from '@agentopia/api'
import type { JsonRpcAnswer } from '@agentopia/dtma/contract'
import type { MadeCall } from './call.ts'
import type { ExecuteOnce } from './execute-once.ts'

/** How a call is made, and what is done instead when it was made before. */
interface KeyedCall {
  readonly make: () => Promise<MadeCall>
  /** @param first What the first call came to; or why its answer cannot be given now. */
  readonly repeat: (first: JsonRpcAnswer | ProblemError) => Promise<MadeCall>
}

/** A call of MCP that is made once for its key, in the memory of all calls with one. @throws what `make` and `repeat` throw. */
export async function keyedCall(
  executeOnce: ExecuteOnce,
  once: Parameters<ExecuteOnce>[0],
  { make, repeat }: KeyedCall,
): Promise<MadeCall> {
  let isFirst = false
  let made: MadeCall | undefined
  const first = await executeOnce(once, async () => {
    isFirst = true
    made = await make()
    return { answer: made.answer }
  }).then(
    ({ answer }) => answer,
    (error: unknown) => {
      if (isFirst || !(error instanceof ProblemError)) throw error
      return error
    },
  )
  return made ?? repeat(first)
}
