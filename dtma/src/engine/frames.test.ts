import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDemux, type FrameStream } from './frames.ts'

const KINDS: readonly FrameStream[] = ['stdin', 'stdout', 'stderr']

const frameOf = (stream: FrameStream, payload: Uint8Array): Buffer => {
  const header = Buffer.alloc(8)
  header[0] = KINDS.indexOf(stream)
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}

const frames = fc.array(fc.record({ stream: fc.constantFrom(...KINDS), payload: fc.uint8Array({ maxLength: 300 }) }), {
  maxLength: 30,
})

test('every payload arrives whole and in order, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(({ stream, payload }) => frameOf(stream, payload)))
      const received: { stream: FrameStream; byte: number }[] = []
      const feed = createDemux((stream, payload) => {
        for (const byte of payload) received.push({ stream, byte })
      })

      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const size = cuts[cut % cuts.length]!
        feed(bytes.subarray(at, at + size))
        at += size
      }

      expect(received).toEqual(sent.flatMap(({ stream, payload }) => [...payload].map((byte) => ({ stream, byte }))))
    }),
  )
})

test('arbitrary bytes are split or refused, and never hang or come out longer than they went in', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      let out = 0
      const feed = createDemux((_, payload) => {
        out += payload.length
      })
      try {
        feed(Buffer.from(bytes))
      } catch (error) {
        expect(String(error)).toContain('not multiplexed')
      }
      expect(out).toBeLessThanOrEqual(bytes.length)
    }),
  )
})

test('plain text, as a container with a terminal sends it, is refused instead of misread', () => {
  expect(() => createDemux(() => undefined)(Buffer.from('hello from a terminal'))).toThrow('not multiplexed')
})
