import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLineReader } from './lines.ts'

test('finds the same lines wherever the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ' ')),
        { maxLength: 20 },
      ),
      fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
      (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const found: string[] = []
        const read = createLineReader(
          10_000,
          (line) => found.push(line),
          () => {},
        )
        for (let at = 0; at < bytes.length; ) {
          const size = sizes.next().value as number
          read(bytes.subarray(at, at + size))
          at += size
        }
        expect(found).toEqual(lines.filter((line) => line !== ''))
      },
    ),
  )
})

test('drops a line that is too long, once, and reads on', () => {
  const found: string[] = []
  let dropped = 0
  const read = createLineReader(
    10,
    (line) => found.push(line),
    () => {
      dropped += 1
    },
  )
  for (const part of ['short\n', 'x'.repeat(8), 'x'.repeat(8), 'x'.repeat(1_000), '\nafter\n']) read(Buffer.from(part))
  expect([found, dropped]).toEqual([['short', 'after'], 1])
})
