import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readTable, replaceTable } from './firewall.rules.ts'
import { NETLINK_SCRIPT } from './netlink.script.ts'
import { repliesIn } from './netlink.ts'

const IMAGE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const docker = (args: readonly string[], input = '') =>
  execFileSync('docker', args, { encoding: 'utf8', input, maxBuffer: 1 << 26, stdio: 'pipe' }).trim()
const right = ['--network', 'none', '--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN', '--user', '0:0']
/** As DTMA's container to the kernel is bounded, with a network, and so a firewall, of its own. */
let machine: string

beforeAll(() => {
  machine = docker(['run', '-d', '--init', ...right, '--memory', '32m', '--entrypoint', 'sleep', IMAGE, '600'])
})
afterAll(() => {
  docker(['rm', '--force', machine])
})

const ask = async (question: Buffer) => {
  const answer = docker(['exec', '-i', machine, 'perl', '-e', NETLINK_SCRIPT], `${question.toString('hex')}\n`)
  expect(answer).not.toMatch(/^!/)
  return repliesIn(Buffer.from(answer, 'hex'))
}
const bridges = (count: number) => Array.from({ length: count }, (_, index) => `br-${index}`)

test('a thousand tools are one transaction: what the kernel lends by default is less', async () => {
  const question = replaceTable('dtma-many', { bridges: bridges(1_000), gateway: ['172.17.0.2', 'fd00:d0c::2'] })
  expect(question.length).toBeGreaterThan(2 * 212_992)
  await ask(question)
  expect((await readTable('dtma-many', ask)).split('\n')).toHaveLength(1 + 2 + 3_000 + 2 + 4)
})

test('of the kernel only what is its own is heard', async () => {
  await ask(replaceTable('dtma-one', { bridges: bridges(1), gateway: [] }))
  expect((await readTable('dtma-one', ask)).split('\n')).toHaveLength(1 + 2 + 3)
  expect(await readTable('dtma-none', ask)).toBe('')
})
