import {
  type CallSettings,
  FlowPolicy,
  getCallSettings,
  problem,
  SecretPolicy,
  switchCalls,
  updateCallSettings,
} from '@agentopia/api'
import { command } from '../../command.ts'
import { facts } from '../../output.ts'

const killSwitch = (verb: string, description: string, enabled: boolean) =>
  command(verb, description, {}, async ({ client, output }) => {
    output.result(await client.call(switchCalls, { body: { enabled } }), describe)
  })

export const callStop = killSwitch('stop', 'Kill switch: end and refuse every call of the account', false)
export const callResume = killSwitch('resume', 'Allow calls of the account again', true)

export const callRetention = command(
  'retention',
  'How long records of calls are kept; say how many days, or `forever`, to change it',
  { days: { type: 'positional', description: 'Days, or `forever`', required: false } },
  async ({ client, args, output }) => {
    if (args.days === undefined) return output.result(await client.call(getCallSettings, {}), describe)
    const retentionDays = args.days === 'forever' ? null : Number(args.days)
    if (Number.isNaN(retentionDays)) throw problem('invalid-request', 'Say how many days, or `forever`')
    output.result(await client.call(updateCallSettings, { body: { retentionDays } }), describe)
  },
)

/** A setting that is shown without a word, and changed by one. */
const choice = <Name extends 'secrets' | 'dataFlow'>(
  verb: string,
  description: string,
  name: Name,
  words: readonly CallSettings[Name][],
) =>
  command(
    verb,
    description,
    { to: { type: 'positional', description: words.join(', '), required: false } },
    async ({ client, args, output }) => {
      if (args.to === undefined) return output.result(await client.call(getCallSettings, {}), describe)
      const chosen = words.find((word) => word === args.to)
      if (chosen === undefined) throw problem('invalid-request', `Say one of ${words.join(', ')}`)
      output.result(await client.call(updateCallSettings, { body: { [name]: chosen } }), describe)
    },
  )

export const callSecrets = choice(
  'secrets',
  'What is done about what looks like a secret in calls; the agents’ own secrets are taken out always',
  'secrets',
  SecretPolicy.options,
)
export const callDataFlow = choice(
  'data-flow',
  'Whether an agent may be granted everything that is needed to give private data away',
  'dataFlow',
  FlowPolicy.options,
)

export const callPatience = command(
  'patience',
  'How long a call waits for a person who is asked; say how many seconds to change it',
  { seconds: { type: 'positional', description: 'Seconds, from 10 to 3600', required: false } },
  async ({ client, args, output }) => {
    if (args.seconds === undefined) return output.result(await client.call(getCallSettings, {}), describe)
    const approvalSeconds = Number(args.seconds)
    if (!Number.isInteger(approvalSeconds)) throw problem('invalid-request', 'Say how many seconds')
    output.result(await client.call(updateCallSettings, { body: { approvalSeconds } }), describe)
  },
)

const describe = ({ enabled, retentionDays, secrets, dataFlow, approvalSeconds }: CallSettings): string =>
  facts([
    ['calls', enabled ? 'allowed' : 'stopped: every call of the account is refused'],
    ['records are kept', retentionDays === null ? 'forever' : `${retentionDays} days`],
    ['secrets in calls', secrets],
    ['private, untrusted and outward in one agent', dataFlow],
    ['wait for a person', `${approvalSeconds} s`],
  ])
