import { getMe } from '@agentopia/api'
import { command } from '../command.ts'
import { facts } from '../output.ts'

export const whoami = command('whoami', 'Who am I, in which account', {}, async ({ client, output, settings }) => {
  output.result(await client.call(getMe, {}), ({ user, account, role }) =>
    facts([
      ['user', user.email],
      ['account', account.name],
      ['role', role],
      ['control plane', settings.url],
    ]),
  )
})
