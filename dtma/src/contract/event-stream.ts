import { EventSourceParserStream } from 'eventsource-parser/stream'
import { type $ZodType, type output, parse } from 'zod/v4/core'

/** One server-sent event, its data parsed. */
export interface ServerSentEvent<Data> {
  readonly id?: string
  readonly data: Data
}

/** Longest event that is read, in characters: far above a line of a log. Whoever sends more means no good. */
const MOST_CHARS = 1 << 20

/** The events of a `text/event-stream` answer, in order; ends with the stream. @throws when an event's data does not fit, or has no end. */
export async function* readEventStream<Schema extends $ZodType>(
  response: Response,
  schema: Schema,
): AsyncGenerator<ServerSentEvent<output<Schema>>> {
  if (!response.body) return
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(withoutReturns())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: MOST_CHARS }))
  for await (const { id, data } of events) {
    yield { ...(id === undefined ? {} : { id }), data: parse(schema, JSON.parse(data)) }
  }
}

/**
 * We end lines by LF. Where there is one CR the parser looks for the next at each line, to the end of what came: a few megabytes of
 * empty lines a second would take all the time of whoever reads.
 */
export const plainLines = (text: string): string => text.replaceAll('\r', '')

const withoutReturns = () =>
  new TransformStream<string, string>({ transform: (text, controller) => controller.enqueue(plainLines(text)) })
