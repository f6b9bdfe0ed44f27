import { type CallSettings, getCallSettings, problem, switchCalls, updateCallSettings } from '@agentopia/api'
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

const describe = ({ enabled, retentionDays, approvalSeconds }: CallSettings): string =>
  facts([
    ['calls', enabled ? 'allowed' : 'stopped: every call of the account is refused'],
    ['records are kept', retentionDays === null ? 'forever' : `${retentionDays} days`],
    ['wait for a person', `${approvalSeconds} s`],
  ])
