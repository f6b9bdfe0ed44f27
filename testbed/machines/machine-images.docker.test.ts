import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const BUILD = fileURLToPath(new URL('../images/build.sh', import.meta.url))

/** @returns Ids of the images. */
const built = async (): Promise<string[]> => (await promisify(execFile)(BUILD)).stdout.trim().split('\n')

test('the images of machines are found by whoever builds them again, at once too, and not made anew', async () => {
  const first = await built()
  expect(first).toHaveLength(2)
  expect(await Promise.all([built(), built()])).toEqual([first, first])
}, 300_000)
