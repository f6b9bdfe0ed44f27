import { TAKE_SECRETS } from './npm-secrets.script.ts'

/** Where what takes the secrets is in the image of a tool. */
export const OCI_SECRETS_DIRECTORY = '/.agentopia'

/**
 * What a tool with secrets starts before the command of its image. The image may have no shell, no Node and another libc:
 * everything comes along, the loader included.
 */
export const OCI_SECRETS_ENTRYPOINT: readonly string[] = [
  `${OCI_SECRETS_DIRECTORY}/loader`,
  '--inhibit-cache',
  '--library-path',
  `${OCI_SECRETS_DIRECTORY}/lib`,
  `${OCI_SECRETS_DIRECTORY}/node`,
  '--disable-warning=ExperimentalWarning',
  `${OCI_SECRETS_DIRECTORY}/with-secrets.mjs`,
]

/** Runs first in the container of an image whose tool takes secrets, and becomes the command of the image. */
export const OCI_SECRETS_SCRIPT = `${TAKE_SECRETS}
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

function find(command) {
  if (command === undefined) fail('the image says no command, and no arguments were given')
  const places = command.includes('/') ? [command] : (process.env.PATH ?? '').split(':').map((folder) => join(folder || '.', command))
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK)
      return place
    } catch {} // the next one
  }
  fail('the command of the image is not in it, or cannot be run: ' + command)
}

const [command, ...args] = process.argv.slice(2)
process.execve(find(command), [command, ...args], { ...process.env, ...env })
`

/** Runs in the build: takes Node and all that it is linked with from the runner base. */
export const COLLECT_NODE_SCRIPT = `import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs'
import { basename } from 'node:path'

const [to] = process.argv.slice(2)
mkdirSync(to + '/lib', { recursive: true })
const take = (from, name) => {
  copyFileSync(from, to + '/' + name)
  chmodSync(to + '/' + name, 0o755)
}
take(process.execPath, 'node')
for (const line of execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).split('\\n')) {
  const path = /(?:=> )?(\\/\\S+) \\(0x/.exec(line)?.[1]
  if (path === undefined) continue
  if (basename(path).startsWith('ld-')) take(path, 'loader')
  else take(path, 'lib/' + basename(path))
}
`
