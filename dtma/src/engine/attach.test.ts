import { duplexPair, type Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { splitAttached } from './attach.ts'

const frame = (stream: 1 | 2, text: string): Buffer => {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}
const textOf = async (source: Readable): Promise<string> => (await source.toArray()).join('')

test('stdout and stderr come apart, and stdin goes the other way untouched', async () => {
  const [docker, ours] = duplexPair()
  const attached = splitAttached(ours)
  docker.write(frame(1, 'out one, '))
  docker.write(frame(2, 'err'))
  docker.end(frame(1, 'out two'))
  attached.stdin.write('hello')

  expect(await textOf(attached.stdout)).toBe('out one, out two')
  expect(await textOf(attached.stderr)).toBe('err')
  expect(String(docker.read())).toBe('hello')
})

test('a broken connection ends the output instead of failing it', async () => {
  const [docker, ours] = duplexPair()
  const { stdout } = splitAttached(ours)
  docker.write(frame(1, 'half'))
  setImmediate(() => ours.destroy(new Error('gone')))

  expect(await textOf(stdout)).toBe('half')
})

test('bytes that are not multiplexed close the connection', async () => {
  const [docker, ours] = duplexPair()
  const { stdout } = splitAttached(ours)
  docker.write('plain text from a terminal')

  expect(await textOf(stdout)).toBe('')
  expect(ours.destroyed).toBe(true)
})

test('a reader that stops reading stops the container from being read', async () => {
  const [docker, ours] = duplexPair()
  const { stdout } = splitAttached(ours)
  for (let sent = 0; sent < 64; sent++) docker.write(frame(1, 'x'.repeat(16_384)))
  await new Promise((resolve) => setTimeout(resolve, 50))

  expect(stdout.readableLength).toBeLessThan(256 * 1024)
  docker.end()
  expect((await textOf(stdout)).length).toBe(64 * 16_384)
})
