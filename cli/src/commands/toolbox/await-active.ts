import { type Client, getToolbox, problem, type Toolbox } from '@agentopia/api'
import { follow, type Patience } from '../../follow.ts'

/** Of the log of an installation that failed: where it says why. */
const LAST_LINES = 20

/**
 * Follows a toolbox until it is active, telling each stage, and the end of its log when it failed.
 * @throws {ProblemError} when it failed, or time is up.
 */
export const awaitActive = (client: Client, toolboxId: string, patience: Patience): Promise<Toolbox> =>
  follow(
    {
      read: (signal) => client.call(getToolbox, { params: { toolboxId } }, { signal }),
      tell: lineOf,
      isOver({ name, status, statusReason, boot }) {
        if (status === 'error_provisioning' || status === 'lost') {
          if (boot?.log) patience.output.note(endOf(boot.log))
          throw problem('provider-refused', statusReason ?? `${name} could not be provisioned`)
        }
        return status === 'active'
      },
      late: ({ name, status }) => `${name} is ${status} after ${patience.seconds} s`,
      everyMs: 1_000,
    },
    patience,
  )

const endOf = (log: string): string =>
  [
    'The log of the installation ends with:',
    ...log
      .trimEnd()
      .split('\n')
      .slice(-LAST_LINES)
      .map((line) => `  | ${line}`),
  ].join('\n')

function lineOf({ boot, status, statusReason }: Toolbox): string {
  const stage = boot?.stages.at(-1)
  return [status.replaceAll('_', ' '), stage && `${stage.stage} ${stage.state}`, statusReason]
    .filter(Boolean)
    .join(': ')
}
