import { createParser } from 'eventsource-parser'
import { problem } from '../contract/problems.ts'
import type { HttpHead } from './http-reader.ts'
import { createLineEnds } from './line-ends.ts'
import { MAX_MESSAGE_BYTES } from './upstream.ts'

const tooLarge = () => problem('tool-protocol-error', 'The tool sent a message that is too large')

export const isEventStream = ({ headers }: HttpHead): boolean =>
  headers.get('content-type')?.startsWith('text/event-stream') ?? false

/** Finds the messages in the body of an HTTP answer. */
export interface AnswerReader {
  /** @throws {ProblemError} `tool-protocol-error` when a message is too large. */
  read(text: string): void
  end(): void
}

/** Hands every message to `receive`, as text: one of JSON, any number of an event stream. */
export const createAnswerReader = (head: HttpHead, receive: (text: string) => void): AnswerReader =>
  isEventStream(head) ? createEventReader(receive) : createTextReader(receive)

function createTextReader(receive: (text: string) => void): AnswerReader {
  let text = ''
  return {
    read(chunk) {
      text += chunk
      if (text.length > MAX_MESSAGE_BYTES) throw tooLarge()
    },
    end: () => void (text === '' || receive(text)),
  }
}

function createEventReader(receive: (text: string) => void): AnswerReader {
  let unread = 0
  const withLf = createLineEnds()
  const parser = createParser({
    onEvent({ data }) {
      unread = 0
      receive(data)
    },
  })
  return {
    read(chunk) {
      unread += chunk.length
      if (unread > MAX_MESSAGE_BYTES) throw tooLarge()
      parser.feed(withLf(chunk))
    },
    end() {},
  }
}
