import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { digestOf } from './archive-digest.ts'

const MIB = 2 ** 20

test.each([
  ['nothing', 0, []],
  ['less than a slice', 1_000, [1_000]],
  ['whole slices', 8 * MIB, [4 * MIB, 8 * MIB]],
  ['slices and a rest', 9 * MIB + 1, [4 * MIB, 8 * MIB, 9 * MIB + 1]],
])('the digest of %s is that of Node, and it says how far it has read', async (_, size, steps) => {
  const data = randomBytes(size)
  const read: number[] = []
  const digest = await digestOf(new Blob([data]), (bytes) => read.push(bytes))
  expect(digest).toBe(`sha256:${createHash('sha256').update(data).digest('hex')}`)
  expect(read).toEqual(steps)
})

test('a file that cannot be read any more has no digest', async () => {
  class Gone extends Blob {
    override slice = () => {
      throw new DOMException('The file was changed', 'NotReadableError')
    }
  }
  await expect(digestOf(new Gone(['x']), () => {})).rejects.toThrow('The file was changed')
})
