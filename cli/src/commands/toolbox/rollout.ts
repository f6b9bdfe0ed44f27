import { type Client, giveUpRollout, listRollouts, problem, type Rollout, resumeRollout } from '@agentopia/api'
import { command } from '../../command.ts'
import { follow, type Patience } from '../../follow.ts'

export const toolboxRollout = command(
  'rollout',
  'Show the last rollout of DTMA; let a halted one go on, or give it up',
  {
    resume: { type: 'boolean', description: 'Let it go on; those that are not well are left alone', default: false },
    'give-up': { type: 'boolean', description: 'What has not begun does not begin', default: false },
  },
  async ({ client, args, output }) => {
    if (args.resume && args['give-up']) throw problem('invalid-request', 'Say --resume or --give-up, not both')
    const last = (await client.call(listRollouts, {})).items[0]
    if (!last) {
      if (args.resume || args['give-up']) throw problem('rollout-not-found', 'There was no rollout yet')
      return output.result(null, () => 'There was no rollout yet')
    }
    const params = { rolloutId: last.id }
    const now = args.resume
      ? await client.call(resumeRollout, { params })
      : args['give-up']
        ? await client.call(giveUpRollout, { params })
        : last
    output.result(now, () => linesOf(now))
  },
)

/** Follows a rollout until it has ended or was halted, telling each change. @throws {ProblemError} when time is up. */
export const untilSettled = (client: Client, id: string, patience: Patience): Promise<Rollout> =>
  follow(
    {
      async read(signal) {
        const { items } = await client.call(listRollouts, {}, { signal })
        const now = items.find((one) => one.id === id)
        if (!now) throw problem('rollout-not-found', `The rollout ${id} is none of the last`)
        return now
      },
      tell: lineOf,
      isOver: ({ state }) => state !== 'running',
      late: () => 'The rollout is under way still: `agentopia toolbox rollout` shows it',
      everyMs: 1_000,
    },
    patience,
  )

function lineOf({ state, version, counts, reason }: Rollout): string {
  const { updated, underWay, waiting, unwell, away } = counts
  const parts = [`${updated} updated`, `${underWay} under way`, `${waiting} waiting`, `${unwell} not well`]
  const words = state.replaceAll('_', ' ')
  return `DTMA ${version} to all toolboxes: ${words}  ${[...parts, `${away} away`].join(', ')}${reason ? `  ${reason}` : ''}`
}

/** The rollout, and below it each toolbox that is not well. */
export const linesOf = (rollout: Rollout): string =>
  [lineOf(rollout), ...rollout.unwell.map(({ name, reason }) => `  ${name}: ${reason}`)].join('\n')
