import { execFileSync } from 'node:child_process'
import { NETLINK_SCRIPT, readTable, replaceTable, repliesIn } from '@agentopia/dtma/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FORGET_FIREWALL } from './forget-firewall.ts'

const IMAGE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const docker = (args: readonly string[], input = '') => execFileSync('docker', args, { encoding: 'utf8', input }).trim()
const right = ['--network', 'none', '--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN', '--user', '0:0']
/** A container that has a network of its own, and so a firewall of its own. */
let machine: string

beforeAll(() => {
  machine = docker(['run', '-d', '--init', ...right, '--entrypoint', 'sleep', IMAGE, '600'])
})
afterAll(() => {
  docker(['rm', '--force', machine])
})

const perl = (program: string, args: readonly string[], input?: string) =>
  docker(['exec', '-i', machine, 'perl', '-e', program, ...args], input)
const ask = async (question: Buffer) =>
  repliesIn(Buffer.from(perl(NETLINK_SCRIPT, [], `${question.toString('hex')}\n`), 'hex'))
const rulesOf = (table: string) => readTable(table, ask)

test('the table of a DTMA goes, with its rules and nobody else’s; where there is none, that is well', async () => {
  const wanted = { bridges: ['br-0123456789ab'], gateway: ['172.17.0.2', 'fd00:d0c::2'] }
  for (const name of ['dtma-abcdef012345', 'dtma-theirs']) await ask(replaceTable(name, wanted))
  expect(await rulesOf('dtma-abcdef012345')).not.toBe('')
  const theirs = await rulesOf('dtma-theirs')
  for (const _ of ['once', 'again']) {
    perl(FORGET_FIREWALL, ['dtma-abcdef012345'])
    expect(await rulesOf('dtma-abcdef012345')).toBe('')
  }
  expect(await rulesOf('dtma-theirs')).toBe(theirs)
})
