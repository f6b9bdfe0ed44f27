import { openCommand } from '../command.ts'
import { removeSettings } from '../settings.ts'

export const logout = openCommand(
  'logout',
  'Forget the stored token (revoke it with `agentopia token revoke`)',
  {},
  async ({ output, world }) => {
    await removeSettings(world.env)
    output.result({ signedOut: true }, () => 'The stored token is gone from this machine')
  },
)
