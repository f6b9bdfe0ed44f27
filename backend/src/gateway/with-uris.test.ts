import { expect, test } from 'vitest'
import { withUris } from './with-uris.ts'

const link = { type: 'resource_link', uri: 'file:///a', name: 'a' }
const embedded = { type: 'resource', resource: { uri: 'file:///a', text: 'x' } }
const text = { type: 'text', text: 'file:///a', uri: 'file:///a' }

test('wherever a result names a resource, it is the address under which this gateway leads to it', () => {
  const uri = 'agentopia:demo/file:///a'
  expect(withUris({ result: { content: [link, embedded, text], contents: [{ uri: 'file:///a' }] } }, 'demo')).toEqual({
    result: {
      content: [{ ...link, uri }, { type: 'resource', resource: { uri, text: 'x' } }, text],
      contents: [{ uri }],
    },
  })
  const messages = [
    { role: 'user', content: embedded },
    { role: 'user', content: [link] },
  ]
  expect(withUris({ result: { messages } }, 'demo')).toEqual({
    result: {
      messages: [
        { role: 'user', content: { type: 'resource', resource: { uri, text: 'x' } } },
        { role: 'user', content: [{ ...link, uri }] },
      ],
    },
  })
  expect(withUris({ error: { code: -32_602, message: 'no', data: { uri: 'file:///a' } } }, 'demo')).toEqual({
    error: { code: -32_602, message: 'no', data: { uri } },
  })
})

test('an item with plain names keeps its addresses', () => {
  const answer = { result: { content: [link, embedded] } }
  expect(withUris(answer, undefined)).toBe(answer)
})

test.each([[null], ['x'], [7], [[null, 7, 'x', {}]]])('what is no content stays what it is: %o', (content) => {
  expect(withUris({ result: { content, contents: [{}] } }, 'demo')).toEqual({ result: { content, contents: [{}] } })
})
