import { expect, test } from 'vitest'
import { resultBlocks } from './result-blocks.ts'

test('text is text, JSON in text is JSON, structured content comes first', () => {
  const result = {
    content: [
      { type: 'text', text: 'Hello <b>you</b>' },
      { type: 'text', text: '{"a":1}' },
      { type: 'text', text: '{not json' },
    ],
    structuredContent: { sum: 3 },
  }
  expect(resultBlocks(result)).toEqual([
    { kind: 'json', value: { sum: 3 } },
    { kind: 'text', text: 'Hello <b>you</b>' },
    { kind: 'json', value: { a: 1 } },
    { kind: 'text', text: '{not json' },
  ])
})

test('only images made of pixels are shown as images', () => {
  const image = (mimeType: string, data = 'iVBORw0KGgo=') =>
    resultBlocks({ content: [{ type: 'image', mimeType, data }] })[0]
  expect(image('image/png')).toEqual({ kind: 'image', source: 'data:image/png;base64,iVBORw0KGgo=' })
  expect(image('image/svg+xml')?.kind).toBe('other')
  expect(image('image/png', '"><script>')?.kind).toBe('other')
})

test('a result that is none is shown as it is', () => {
  expect(resultBlocks({ odd: true })).toEqual([{ kind: 'json', value: { odd: true } }])
  expect(resultBlocks({ content: [null] })).toEqual([{ kind: 'json', value: null }])
})
