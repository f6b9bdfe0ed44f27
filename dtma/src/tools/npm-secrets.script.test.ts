import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { NPM_SECRETS_SCRIPT } from './npm-secrets.script.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

/** A server that says what it was given and repeats its standard input. */
const SERVER = `console.log(JSON.stringify({ pid: process.pid, key: process.env.API_KEY, args: process.argv.slice(2) }))
process.stdin.pipe(process.stdout)`

async function run(input: string, { byteByByte = false } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'dtma-secrets-'))
  directories.push(root)
  writeFileSync(join(root, 'with-secrets.mjs'), NPM_SECRETS_SCRIPT)
  writeFileSync(join(root, 'server.mjs'), SERVER)
  const args = [
    '--disable-warning=ExperimentalWarning',
    join(root, 'with-secrets.mjs'),
    join(root, 'server.mjs'),
    'stdio',
  ]
  const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'] } })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  child.stdin.on('error', () => undefined) // it may end before it has read everything
  if (byteByByte)
    for (const character of input) {
      child.stdin.write(character)
      await new Promise((resolve) => setImmediate(resolve))
    }
  else child.stdin.write(input)
  child.stdin.end()
  const [code] = await once(child, 'close')
  return { root, code, out, err, pid: child.pid }
}

const line = (env: object, files: object = {}) => `${JSON.stringify({ dtmaSecrets: { env, files } })}\n`

test('the server gets its variables and arguments, in the same process, and nothing else is said', async () => {
  const { out, err, code, pid } = await run(line({ API_KEY: 'a "b" \n c ü' }))
  expect(JSON.parse(out)).toEqual({ pid, key: 'a "b" \n c ü', args: ['stdio'] })
  expect({ err, code }).toEqual({ err: '', code: 0 })
})

test.each([false, true])(
  'what follows the line is the server’s, to the last byte (byte by byte: %s)',
  async (byteByByte) => {
    const rest = '{"jsonrpc":"2.0","id":1,"method":"initialize"}\n{"more":"…"}\n'
    const { out } = await run(line({ API_KEY: 'k' }) + rest, { byteByByte })
    expect(out.slice(out.indexOf('\n') + 1)).toBe(rest)
  },
)

test('files are the tool’s alone', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'dtma-secret-files-')), 'deep', 'token')
  directories.push(join(path, '..', '..'))
  const { code } = await run(line({}, { [path]: 'of the file' }))
  expect(code).toBe(0)
  expect(readFileSync(path, 'utf8')).toBe('of the file')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test.each([
  ['no line', ''],
  ['a message of MCP', '{"jsonrpc":"2.0","id":1,"method":"canary-text"}\n'],
  ['no JSON', 'canary-text\n'],
])('%s: it does not start the server, and repeats nothing', async (_, input) => {
  const { code, out, err } = await run(input)
  expect(code).toBe(78)
  expect(out).toBe('')
  expect(err).toMatch(/^secrets: /)
  expect(err).not.toContain('canary')
})
