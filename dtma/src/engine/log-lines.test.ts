import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { logLines } from './log-lines.ts'

const frame = (stream: 1 | 2, text: string): Buffer => {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}
const AT = '2026-01-01T00:00:00.000000001Z'

test('lines come with their time and stream, however the bytes are cut', async () => {
  const bytes = Buffer.concat([
    frame(1, `${AT} grüße\n`),
    frame(2, `${AT} oh`),
    frame(2, ' no\r\n'),
    frame(1, `${AT} last`),
  ])
  const bytewise = Readable.from([...bytes].map((byte) => Buffer.from([byte])))

  expect(await Readable.from(logLines(bytewise)).toArray()).toEqual([
    { at: AT, stream: 'stdout', line: 'grüße' },
    { at: AT, stream: 'stderr', line: 'oh no' },
    { at: AT, stream: 'stdout', line: 'last' },
  ])
})

test('a line without end is cut instead of held in memory', async () => {
  const endless = Readable.from(Array.from({ length: 40 }, () => frame(1, 'x'.repeat(10_000))))
  const [line] = await Readable.from(logLines(endless)).toArray()
  expect(line!.at.length).toBeLessThanOrEqual(64 * 1024)
})
