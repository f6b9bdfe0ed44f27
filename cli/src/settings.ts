import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Where the control plane is, and the token to speak to it. */
export interface Settings {
  readonly url: string
  readonly token: string | undefined
}

type Env = Readonly<Record<string, string | undefined>>

const DEFAULT_URL = 'http://localhost:3000'

const fileOf = (env: Env): string =>
  env['AGENTOPIA_CONFIG'] ??
  join(env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '.', '.config'), 'agentopia', 'settings.json')

/** From AGENTOPIA_URL and AGENTOPIA_TOKEN, else from the file that `agentopia login` wrote. */
export async function readSettings(env: Env): Promise<Settings> {
  const stored = await readFile(fileOf(env), 'utf8').then(
    (text) => JSON.parse(text) as Partial<Settings>,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return {} as Partial<Settings>
      throw error
    },
  )
  return { url: env['AGENTOPIA_URL'] ?? stored.url ?? DEFAULT_URL, token: env['AGENTOPIA_TOKEN'] ?? stored.token }
}

/** Readable by the owner alone; replaced whole, so that a crash leaves the old or the new file. */
export async function writeSettings(env: Env, settings: Settings): Promise<string> {
  const file = fileOf(env)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return file
}

export const removeSettings = (env: Env): Promise<void> => rm(fileOf(env), { force: true })
