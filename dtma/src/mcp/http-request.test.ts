import { expect, test } from 'vitest'
import { requestText } from './http-request.ts'

const url = new URL('http://10.0.0.2:3001/mcp?a=b')

test('a request says how long it is, in bytes, and what may be answered', () => {
  expect(requestText('POST', url, { 'mcp-session-id': 'x' }, '"ü"')).toBe(
    [
      'POST /mcp?a=b HTTP/1.1',
      'host: 10.0.0.2:3001',
      'accept: application/json, text/event-stream',
      'content-type: application/json',
      'content-length: 4',
      'mcp-session-id: x',
      '',
      '"ü"',
    ].join('\r\n'),
  )
  expect(requestText('GET', url, {})).toMatch(/^GET [\s\S]+\r\naccept: text\/event-stream\r\n\r\n$/)
})

test.each([
  ['mcp-protocol-version', '1\r\nx: y'],
  ['mcp-session-id', 'a\nb'],
  ['mcp-method', 'ü'],
  ['a b', 'x'],
  ['x:\r\ny', 'x'],
])('%j with the value %j is not sent: it would be another request', (name, value) => {
  expect(() => requestText('POST', url, { [name]: value }, '{}')).toThrow('cannot be sent')
})
