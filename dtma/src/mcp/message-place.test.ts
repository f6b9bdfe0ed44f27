import { expect, test } from 'vitest'
import { placeOfMessages } from './message-place.ts'

const URL_OF_STREAM = 'http://10.0.0.2:3001/mcp/sse'

test.each([
  ['/message?session=1', '/message?session=1'],
  ['message?session=1', '/mcp/message?session=1'],
  ['?session=1', '/mcp/sse?session=1'],
  ['http://10.0.0.2:3001/a b#part', '/a%20b'],
  ['http://somebody:secret@10.0.0.2:3001/message', '/message'],
])('%s is on the server of the stream', (text, place) => {
  expect(placeOfMessages(URL_OF_STREAM, text, 'endpoint')).toBe(place)
})

test.each([
  ['another host', 'http://10.0.0.3:3001/message', /at http:\/\/10\.0\.0\.3:3001, which/],
  ['another host, in short', '//169.254.169.254/latest/meta-data', /at http:\/\/169\.254\.169\.254, which/],
  ['another host, by a backslash', '/\\10.0.0.3/message', /at http:\/\/10\.0\.0\.3, which/],
  ['another port', 'http://10.0.0.2:2375/containers/json', /at http:\/\/10\.0\.0\.2:2375, which/],
  ['another scheme', 'https://10.0.0.2:3001/message', /at https:/],
  ['no host at all', 'file:///etc/passwd', /at null, which/],
  ['what is no address', 'http://[', /no address/],
  ['more than an address has', `/${'x'.repeat(2_048)}`, /no address/],
])('a stream that names %s is refused', (_, text, says) => {
  expect(() => placeOfMessages(URL_OF_STREAM, text, 'endpoint')).toThrow(
    expect.objectContaining({ code: 'tool-protocol-error', message: expect.stringMatching(says) }),
  )
})

test.each([undefined, 'message', 'ping'])('a stream that begins with an event called %s is refused', (event) => {
  expect(() => placeOfMessages(URL_OF_STREAM, '/message', event)).toThrow(/does not begin with an endpoint/)
})
