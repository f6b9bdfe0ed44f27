import type { Readable } from 'node:stream'
import { problem } from '@agentopia/api'
import { plainLines } from '@agentopia/dtma/contract'
import { createParser } from 'eventsource-parser'
import { readAll } from './read-all.ts'

/** Longest answer that is read, in bytes: what DTMA reads of a tool, and some more for its own. */
const MOST_ANSWER_BYTES = 12 << 20

const tooLong = () => problem('tool-failed', `The answer is longer than ${MOST_ANSWER_BYTES} bytes`)

/** @throws {ProblemError} `tool-failed` when it is too long. */
export const readText = async (body: Readable): Promise<string> =>
  (await readAll(body, MOST_ANSWER_BYTES, tooLong)).toString('utf8')

/** The data of each server-sent event. @throws {ProblemError} `tool-failed` when one is too long. */
export async function* readEvents(body: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let events: string[] = []
  let bytes = 0
  const parser = createParser({ onEvent: ({ data }) => events.push(data) })
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_ANSWER_BYTES) throw tooLong()
    parser.feed(plainLines(decoder.decode(chunk, { stream: true })))
    if (events.length === 0) continue
    bytes = 0
    yield* events
    events = []
  }
}
