import type { FlowWarning } from '@agentopia/api'
import { type Output, printable } from '../../output.ts'

/** What a change means for the flow of data: for people, beside the result. */
export const warn = (output: Output, warnings: readonly FlowWarning[]): void => {
  for (const { message } of warnings) output.note(`Warning: ${printable(message)}`)
}
