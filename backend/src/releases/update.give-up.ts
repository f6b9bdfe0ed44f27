import { isDeepStrictEqual } from 'node:util'
import type { UpdateRefusal } from '../store/schema/toolboxes.ts'
import { lastHeard } from '../toolboxes/last-heard.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { attemptOf, LONGEST_MS, nextStep, type UpdateFacts } from './update.step.ts'

/** How an update that is under way is given up: what was waited for, and the last that was heard. Decides; touches nothing. */
export function givenUp(row: UpdateFacts & Pick<ToolboxRow, 'lastHeartbeatAt'>, at: Date): UpdateRefusal {
  const within = `within ${LONGEST_MS / 60_000} minutes`
  const heard = nextStep(row) === 'follow' ? row.updateState! : undefined
  const waited = heard ? `DTMA has not said ${within} how it ended` : `DTMA has not taken it up ${within}`
  const percent = heard?.percent === undefined ? '' : ` (${heard.percent} %)`
  const said = heard ? `, and said: ${heard.phase}${percent} since ${heard.since} by its own clock` : ''
  return {
    attempt: attemptOf(row),
    reason: 'no_answer',
    message: `${waited}. ${lastHeard(row)}${said}`,
    at: at.toISOString(),
    isGivenUp: true,
    ...(heard ? { heard } : {}),
  }
}

/** Whether what was refused or given up is the last word: DTMA may have said more of it since, and that counts. */
export const isLastWord = (
  { attempt, heard }: UpdateRefusal,
  state: Pick<UpdateFacts, 'updateState'>['updateState'],
): boolean => state?.attempt !== attempt || isDeepStrictEqual(heard, state)
