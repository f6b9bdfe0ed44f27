import type { LogLine } from '@agentopia/api'
import { expect, test } from 'vitest'
import { appendLines, MOST_LINES, markedParts, matchingLines, plainText } from './log-lines.ts'

const line = (at: number, text = `line ${at}`, stream: LogLine['stream'] = 'stdout'): LogLine => ({
  at: new Date(at).toISOString(),
  stream,
  line: text,
})

test('lines that come again after a reconnect are shown once', () => {
  const first = appendLines([], [line(1), line(2)])
  const again = appendLines(first, [line(2), line(3)])
  expect(again.map(({ number, line: text }) => `${number} ${text}`)).toEqual(['1 line 1', '2 line 2', '3 line 3'])
  expect(appendLines(again, [line(3)])).toBe(again)
})

test('the oldest lines go when there are too many, and numbers keep growing', () => {
  const many = appendLines(
    appendLines([], [line(0)]),
    Array.from({ length: MOST_LINES }, (_, at) => line(at + 1)),
  )
  expect(many).toHaveLength(MOST_LINES)
  expect(many.at(-1)?.number).toBe(MOST_LINES + 1)
})

test('a search is by text and stream, whatever the case', () => {
  const lines = appendLines([], [line(1, 'Ready'), line(2, 'Error: no', 'stderr'), line(3, 'ready again', 'stderr')])
  expect(matchingLines(lines, { text: 'READY', stream: 'all' }).map(({ number }) => number)).toEqual([1, 3])
  expect(matchingLines(lines, { text: '', stream: 'stderr' }).map(({ number }) => number)).toEqual([2, 3])
})

test('what matches is marked, and nothing is lost', () => {
  expect(
    markedParts('ab AB ab', 'ab')
      .map(({ text, hit }) => (hit ? `[${text}]` : text))
      .join(''),
  ).toBe('[ab] [AB] [ab]')
  expect(markedParts('abc', '')).toEqual([{ text: 'abc', hit: false }])
})

test('colours of terminals are taken out', () => {
  expect(plainText('\u001b[32mok\u001b[0m')).toBe('ok')
})
