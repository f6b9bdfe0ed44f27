import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RemoteScript, remoteScript } from './remote-script.ts'

// The commands run in a real shell, with a sudo that does what is asked of it.

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentopia-remote-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const program = { script: 'read -r token; echo "$# $1 got $token ä"\n', args: ['toolbox_a'], input: 'enrol_secret\n' }

function run({ command, input }: RemoteScript, sudo = '#!/bin/sh\nexit 1\n') {
  writeFileSync(join(folder, 'sudo'), sudo)
  chmodSync(join(folder, 'sudo'), 0o755)
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}`, TMPDIR: folder }
  const { stdout, status } = spawnSync('sh', ['-c', command], { input, env, encoding: 'utf8' })
  return { stdout, status, left: readdirSync(folder) }
}

/** Asks for a password on standard input, byte by byte, unless told not to ask. */
const ASKING = `#!/bin/sh
case $1 in -n) exit 1 ;; esac
read -r given
[ "$given" = 'pass word' ] || exit 9
shift 3
exec "$@"
`
const SILENT = '#!/bin/sh\nshift\nexec "$@"\n'

test('root runs it as it is: it reads its own input, and leaves nothing behind', () => {
  expect(run(remoteScript({ ...program, user: 'root' }))).toEqual({
    stdout: '1 toolbox_a got enrol_secret ä\n',
    status: 0,
    left: ['sudo'],
  })
})

test('another user goes by sudo: with the password where it asks, without where it does not', () => {
  const asked = remoteScript({ ...program, user: 'ops', password: 'pass word' })
  const expected = { stdout: '1 toolbox_a got enrol_secret ä\n', status: 0, left: ['sudo'] }
  expect(run(asked, ASKING)).toEqual(expected)
  expect(run(asked, SILENT)).toEqual(expected)
  expect(run(remoteScript({ ...program, user: 'ops' }), SILENT)).toEqual(expected)
})

test('a wrong password runs nothing', () => {
  expect(run(remoteScript({ ...program, user: 'ops', password: 'wrong' }), ASKING)).toMatchObject({
    stdout: '',
    status: 9,
  })
})

test('how it ended is how the program ended', () => {
  expect(run(remoteScript({ ...program, script: 'exit 64\n', user: 'root' })).status).toBe(64)
})

test('no secret is in the command, and no argument is more than a word', () => {
  const { command } = remoteScript({ ...program, user: 'ops', password: 'pass word' })
  expect(command).not.toMatch(/pass word|enrol_/)
  for (const arg of ['a b', "'", '$(reboot)', '']) {
    expect(() => remoteScript({ ...program, args: [arg], user: 'root' })).toThrow(RangeError)
  }
})
