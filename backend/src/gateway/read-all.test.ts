import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readAll } from './read-all.ts'

const tooMuch = () => new Error('too much')

test('reads to the end, whatever the pieces', async () => {
  const pieces = [Buffer.from('a'), Buffer.from('bc'), Buffer.alloc(100_000, 'd')]
  expect((await readAll(Readable.from(pieces), 200_000, tooMuch)).length).toBe(100_003)
  expect((await readAll(Readable.from([]), 0, tooMuch)).length).toBe(0)
})

test('holds no more than it may', async () => {
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(10_000))
    },
  })
  await expect(readAll(endless, 100_000, tooMuch)).rejects.toThrow('too much')
  expect(endless.isPaused()).toBe(true)
  endless.destroy()
})

test('a stream that breaks off fails, with or without a word', async () => {
  const [silent, loud] = [new PassThrough(), new PassThrough()]
  const both = [readAll(silent, 10, tooMuch), readAll(loud, 10, tooMuch)]
  silent.destroy()
  loud.destroy(new Error('reset'))
  await expect(both[0]).rejects.toThrow('before its end')
  await expect(both[1]).rejects.toThrow('reset')
})

test('one that broke before anybody read it is not waited for', async () => {
  for (const why of [undefined, new Error('broken off')]) {
    const stream = new PassThrough()
    stream.on('error', () => {})
    stream.destroy(why)
    await new Promise((resolve) => stream.once('close', resolve))
    await expect(readAll(stream, 10, tooMuch)).rejects.toThrow(why?.message ?? 'ended before its end')
  }
})
