import { expect, test } from 'vitest'
import { bytesOf, removeTable, replaceTable, tableIn, tableNameOf } from './firewall.rules.ts'
import { messagesIn } from './kernel.testing.ts'
import { attribute, ListInterrupted, NetlinkError, repliesIn, text, textIn } from './netlink.ts'

const TABLE = tableNameOf('0123456789abcdef0123456789abcdef')
const names = ['begin', 'newTable', 'delTable', 'newChain', 'newRule', 'end'] as const
const NUMBERS = { begin: 16, newTable: 0xa00, delTable: 0xa02, newChain: 0xa03, newRule: 0xa06, end: 17 } as const
const wordsOf = (bytes: Buffer) =>
  messagesIn(bytes).map(({ type }) => names.find((name) => NUMBERS[name] === type) ?? String(type))

test('a table is replaced in one transaction, of which the last message is acknowledged', () => {
  const bytes = replaceTable(TABLE, { bridges: ['br-1', 'br-2'], gateway: ['172.17.0.2'] })
  expect(wordsOf(bytes)).toEqual([
    'begin',
    ...['newTable', 'delTable', 'newTable', 'newChain', 'newChain'],
    ...Array.from({ length: 3 * 2 + 2 }, () => 'newRule'),
    'end',
  ])
  expect(messagesIn(bytes).filter(({ flags }) => (flags & 4) !== 0)).toEqual([messagesIn(bytes).at(-2)])
  expect(
    messagesIn(bytes)
      .slice(1, -1)
      .map(({ body }) => textIn(body, 1)),
  ).toEqual(Array(13).fill(TABLE))
})

test('where no gateway is yet, the bridges are kept apart all the same', () => {
  expect(wordsOf(replaceTable(TABLE, { bridges: ['br-1'], gateway: [] }))).toHaveLength(1 + 5 + 3 + 1)
  expect(wordsOf(removeTable(TABLE))).toEqual(['begin', 'newTable', 'delTable', 'end'])
})

test('of what the kernel says, only our own table is compared', () => {
  const of = (name: string, type: number) => ({
    type,
    body: Buffer.concat([text(1, name), attribute(2, Buffer.from('x'))]),
  })
  const ours = tableIn([of(TABLE, 0xa00), of('filter', 0xa00), of(TABLE, 0xa06)], TABLE)
  expect(ours.split('\n')).toHaveLength(2)
  expect(ours).not.toBe(tableIn([of(TABLE, 0xa00)], TABLE))
  expect(tableIn([of('filter', 0xa00)], TABLE)).toBe('')
})

test('a refusal of the kernel is an error with its number; an answer that is cut off is one as well', () => {
  const refusal = Buffer.alloc(36)
  refusal.writeUInt32LE(36, 0)
  refusal.writeUInt16LE(2, 4)
  refusal.writeInt32LE(-1, 16)
  expect(() => repliesIn(refusal)).toThrow(NetlinkError)
  expect(() => repliesIn(refusal)).toThrow('errno 1')
  refusal.writeInt32LE(0, 16)
  expect(repliesIn(refusal)).toEqual([])
  expect(() => repliesIn(refusal.subarray(0, 30))).toThrow('half a message')
})

test('a list that was changed while it was read is neither of before nor of after', () => {
  const rule = Buffer.alloc(24)
  rule.writeUInt32LE(24, 0)
  rule.writeUInt16LE(0xa06, 4)
  expect(repliesIn(rule)).toHaveLength(1)
  rule.writeUInt16LE(0x12, 6)
  expect(() => repliesIn(rule)).toThrow(ListInterrupted)
})

test('a gateway with an address of IPv6 is kept from the same: link-local, the metadata of clouds, and the machine', () => {
  const wanted = (gateway: string[]) => messagesIn(replaceTable(TABLE, { bridges: [], gateway }))
  const [four, six] = [wanted(['172.17.0.2']), wanted(['172.17.0.2', 'fd00:d0c::2'])]
  const more = six.filter(({ body }) => !four.some((other) => other.body.equals(body))).map(({ body }) => body)
  const from = Buffer.from('fd000d0c000000000000000000000002', 'hex')
  expect(more.map((body) => [textIn(body, 2), body.includes(from)])).toEqual([
    ...Array(3).fill(['forward', true]),
    ['input', true],
  ])
  const to = ['fe80', 'fd000ec2000000000000000000000254', 'fd2000ce000000000000000000000254']
  expect(to.map((hex, index) => more[index]!.includes(Buffer.from(hex, 'hex')))).toEqual([true, true, true])
})

test.each([
  ['fd00:ec2::254', 'fd000ec2000000000000000000000254'],
  ['::1', '00000000000000000000000000000001'],
  ['fe80::', 'fe800000000000000000000000000000'],
  ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
  ['172.17.0.2', 'ac110002'],
])('the address %s as the kernel has it', (address, hex) => {
  expect(bytesOf(address).toString('hex')).toBe(hex)
})
