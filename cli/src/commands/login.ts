import { createApiToken, createClient, getMe, type Me, redeemSignInLink } from '@agentopia/api'
import { clientOf, openCommand, type World } from '../command.ts'
import { type Settings, writeSettings } from '../settings.ts'

/** The secret comes by standard input, never by argument: arguments are visible to every process of the machine. */
export const login = openCommand(
  'login',
  'Sign in: paste a one-time sign-in link or an API token on standard input',
  {
    url: { type: 'string', description: 'Address of the control plane' },
    name: { type: 'string', description: 'Name of the API token that is made from a link', default: 'agentopia CLI' },
  },
  async ({ args, output, settings, world }) => {
    output.note('Paste a sign-in link or an API token, then press Enter:')
    const pasted = (await world.readInput()).trim()
    const { url, token } = await credentialOf(pasted, args.url ?? settings.url, args.name, world)
    const me = await clientOf(world, { url, token }).call(getMe, {})
    const file = await writeSettings(world.env, { url, token })
    output.result<Me & { settingsFile: string }>(
      { ...me, settingsFile: file },
      () => `Signed in at ${url} as ${me.user.email} (${me.role} of ${me.account.name})`,
    )
  },
)

async function credentialOf(pasted: string, url: string, name: string, world: World): Promise<Required<Settings>> {
  const hash = pasted.indexOf('#')
  if (hash === -1) return { url, token: pasted }
  const origin = new URL(pasted).origin
  return { url: origin, token: await tokenFromLink(origin, pasted.slice(hash + 1), name, world) }
}

/** Trades the link for a session, the session for an API token; the session is not kept. */
async function tokenFromLink(
  baseUrl: string,
  linkToken: string,
  name: string,
  { fetch = globalThis.fetch }: World,
): Promise<string> {
  const client = createClient({ baseUrl, fetch })
  const session = await client.open(redeemSignInLink, { body: { token: linkToken } }, { headers: { origin: baseUrl } })
  const cookie = session.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ')
  const created = await client.call(createApiToken, { body: { name } }, { headers: { cookie, origin: baseUrl } })
  return created.secret
}
