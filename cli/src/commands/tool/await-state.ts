import { type Client, getInstance, problem, type ToolInstance } from '@agentopia/api'
import { follow, type Patience } from '../../follow.ts'

/** Follows an instance until it is running, or ready for the agents' own secrets, telling each step. @throws {ProblemError} when it is blocked, or time is up. */
export const untilRunning = (
  client: Client,
  { toolboxId, id: instanceId }: ToolInstance,
  patience: Patience,
): Promise<ToolInstance> =>
  follow(
    {
      read: (signal) => client.call(getInstance, { params: { toolboxId, instanceId } }, { signal }),
      tell: stepOf,
      isOver,
      late: ({ name, state }) => `${name} is ${state} after ${patience.seconds} s`,
      everyMs: 500,
    },
    patience,
  )

const stepOf = ({ state, progress, message }: ToolInstance): string =>
  [state, progress?.percent === undefined ? '' : `${Math.round(progress.percent)} %`, progress?.step ?? message ?? '']
    .filter(Boolean)
    .join('  ')

function isOver({ name, state, reason, message, ...now }: ToolInstance): boolean {
  if (state === 'blocked') throw problem('tool-failed', message ?? `${name} is blocked: ${reason}`)
  if (state === 'running') return now.observedGeneration === now.generation && now.capabilityCount !== undefined
  return state === 'created' && reason === 'missing_credential'
}
