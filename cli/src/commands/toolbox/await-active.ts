import { type Client, getToolbox, problem, type Toolbox } from '@agentopia/api'
import { follow, type Patience } from '../../follow.ts'

/** Follows a toolbox until it is active, telling each stage. @throws {ProblemError} when it failed, or time is up. */
export const awaitActive = (client: Client, toolboxId: string, patience: Patience): Promise<Toolbox> =>
  follow(
    {
      read: (signal) => client.call(getToolbox, { params: { toolboxId } }, { signal }),
      tell: lineOf,
      isOver({ name, status, statusReason }) {
        if (status === 'error_provisioning' || status === 'lost')
          throw problem('provider-refused', statusReason ?? `${name} could not be provisioned`)
        return status === 'active'
      },
      late: ({ name, status }) => `${name} is ${status} after ${patience.seconds} s`,
      everyMs: 1_000,
    },
    patience,
  )

function lineOf({ boot, status, statusReason }: Toolbox): string {
  const stage = boot?.stages.at(-1)
  return [status.replaceAll('_', ' '), stage && `${stage.stage} ${stage.state}`, statusReason]
    .filter(Boolean)
    .join(': ')
}
