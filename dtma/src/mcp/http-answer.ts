import type { IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'
import { problem } from '../contract/problems.ts'
import { createLineEnds } from './line-ends.ts'
import type { Pace } from './pace.ts'
import { MAX_MESSAGE_BYTES } from './upstream.ts'

type Receive = (text: string, event?: string) => void

const tooLarge = () => problem('tool-protocol-error', 'The tool sent a message that is too large')

/**
 * Hands every message of an HTTP answer to `receive`, as text: one of JSON, any number of an event stream, each with the name of
 * its event if it has one.
 * @param pace Of the tool that answers.
 * @throws {ProblemError} `tool-protocol-error` for a message that is too large; or the connection's error.
 */
export async function readAnswer(response: IncomingMessage, receive: Receive, pace: Pace): Promise<void> {
  const reader = isEventStream(response) ? createEventReader(receive) : createTextReader(receive)
  await readThrough(response, reader.read, pace)
  reader.end()
}

/** By events: an async iterator costs more than all else that is done to a short answer. What `read` throws breaks it off. */
function readThrough(response: IncomingMessage, read: (chunk: string) => void, pace: Pace): Promise<void> {
  return new Promise((resolve, reject) => {
    const broken = () => reject(response.errored ?? new Error('the answer ended before its end'))
    // It broke before anybody listened: none of the events below comes any more.
    if (response.destroyed) return broken()
    pace.read(response.setEncoding('utf8'), (chunk: string) => {
      try {
        read(chunk)
      } catch (error) {
        response.destroy(error as Error)
      }
    })
    response.once('end', resolve).once('close', broken).on('error', reject)
  })
}

export const isEventStream = ({ headers }: IncomingMessage): boolean =>
  headers['content-type']?.startsWith('text/event-stream') ?? false

interface Reader {
  /** @throws {ProblemError} `tool-protocol-error` when a message is too large. */
  read(chunk: string): void
  end(): void
}

function createTextReader(receive: Receive): Reader {
  let text = ''
  return {
    read(chunk) {
      text += chunk
      if (text.length > MAX_MESSAGE_BYTES) throw tooLarge()
    },
    end: () => void (text === '' || receive(text)),
  }
}

function createEventReader(receive: Receive): Reader {
  let unread = 0
  const withLf = createLineEnds()
  const parser = createParser({
    onEvent({ data, event }) {
      unread = 0
      receive(data, event)
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
