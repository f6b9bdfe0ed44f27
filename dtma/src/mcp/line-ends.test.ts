import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLineEnds } from './line-ends.ts'

test.each([
  ['a\r\nb', 'a\nb'],
  ['a\rb', 'a\nb'],
  ['a\n\rb', 'a\n\nb'],
  ['a\r\r\n\n', 'a\n\n\n'],
])('%j has the lines of %j', (text, lines) => {
  expect(createLineEnds()(text)).toBe(lines)
})

test('however a stream is cut into pieces, its lines are the same, and none waits for the next piece', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('\r', '\n', 'x'), maxLength: 5 })), (pieces) => {
      const endOf = createLineEnds()
      let came = ''
      let handed = ''
      for (const piece of pieces) {
        came += piece
        handed += endOf(piece)
        expect(handed).toBe(came.replaceAll(/\r\n?/g, '\n'))
      }
    }),
  )
})
