/** What a tool with secrets starts instead of its package's command. */
export const SECRETS_ENTRYPOINT: readonly string[] = [
  'node',
  '--disable-warning=ExperimentalWarning',
  '/tool/with-secrets.mjs',
  '/tool/entry',
]

/**
 * Takes the secrets of a tool as one line from standard input, and puts those that are files into their places. Byte by byte,
 * because what follows the line is the server's. `env` is left to whoever becomes the server.
 */
export const TAKE_SECRETS = `import { mkdirSync, readSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const LONGEST = 4 << 20
const fail = (message) => {
  console.error('secrets: ' + message)
  process.exit(78)
}

function readByte(byte) {
  for (;;) {
    try {
      return readSync(0, byte, 0, 1, null) === 1
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

function readLine() {
  const byte = Buffer.alloc(1)
  let line = Buffer.alloc(1024)
  let length = 0
  for (;;) {
    if (!readByte(byte)) fail('the input ended before the secrets came')
    if (byte[0] === 10) return line.subarray(0, length).toString('utf8')
    if (length === LONGEST) fail('the line of secrets is too long')
    if (length === line.length) line = Buffer.concat([line, Buffer.alloc(line.length)])
    line[length++] = byte[0]
  }
}

function parse(text) {
  try {
    const { dtmaSecrets } = JSON.parse(text)
    if (dtmaSecrets?.env && dtmaSecrets.files) return dtmaSecrets
  } catch {} // whatever it was, it may be secret: it is not repeated
  fail('the first line of the input holds no secrets; only DTMA can start this container')
}

const { env, files } = parse(readLine())
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, text, { mode: 0o600 })
}
`

/**
 * Runs first in the container of a tool with secrets: takes them as one line from its standard input and becomes the server,
 * in the same process. So they are in no image, no create body and on no command line. Plain JavaScript as text, because it goes
 * into the build context.
 */
export const NPM_SECRETS_SCRIPT = `${TAKE_SECRETS}const [entry, ...args] = process.argv.slice(2)
process.execve(process.execPath, [process.execPath, entry, ...args], { ...process.env, ...env })
`
