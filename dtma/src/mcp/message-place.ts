import { problem } from '../contract/problems.ts'

const LONGEST = 2_048

/**
 * Where a server of the older HTTP transport takes messages, from the first event of its stream.
 * @param url Of the stream.
 * @returns Path and query, at the server of the stream and nowhere else: it may not send us to others.
 * @throws {ProblemError} `tool-protocol-error`
 */
export function placeOfMessages(url: string, text: string, event: string | undefined): string {
  if (event !== 'endpoint')
    throw problem('tool-protocol-error', 'The stream of the tool does not begin with an endpoint')
  const place = text.length <= LONGEST && URL.canParse(text, url) ? new URL(text, url) : undefined
  if (!place) throw problem('tool-protocol-error', 'The endpoint that the tool names is no address')
  if (place.origin !== new URL(url).origin)
    throw problem(
      'tool-protocol-error',
      `The tool wants its messages at ${place.origin.slice(0, 200)}, which is not itself`,
    )
  return place.pathname + place.search
}
