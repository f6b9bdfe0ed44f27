import type { IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'
import { problem } from '../contract/problems.ts'
import { MAX_MESSAGE_BYTES } from './upstream.ts'

const tooLarge = () => problem('tool-protocol-error', 'The tool sent a message that is too large')

/**
 * Hands every message of an HTTP answer to `receive`, as text: one of JSON, any number of an event stream.
 * @throws {ProblemError} `tool-protocol-error` for a message that is too large; or the connection's error.
 */
export async function readAnswer(response: IncomingMessage, receive: (text: string) => void): Promise<void> {
  response.setEncoding('utf8')
  if (isEventStream(response)) return readEvents(response, receive)
  let text = ''
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk
    if (text.length > MAX_MESSAGE_BYTES) throw tooLarge()
  }
  if (text !== '') receive(text)
}

export const isEventStream = ({ headers }: IncomingMessage): boolean =>
  headers['content-type']?.startsWith('text/event-stream') ?? false

async function readEvents(response: IncomingMessage, receive: (text: string) => void): Promise<void> {
  let unread = 0
  const parser = createParser({
    onEvent({ data }) {
      unread = 0
      receive(data)
    },
  })
  for await (const chunk of response as AsyncIterable<string>) {
    unread += chunk.length
    if (unread > MAX_MESSAGE_BYTES) throw tooLarge()
    parser.feed(chunk)
  }
}
