import { expect, test } from 'vitest'
import { CONTROL, HIDDEN, mayHideIn, withoutHidden } from './hidden-text.ts'

const tags = (words: string) =>
  [...words].map((letter) => String.fromCodePoint(0xe0000 + letter.codePointAt(0)!)).join('')
const SCOTLAND = `\u{1f3f4}${tags('gbsct')}\u{e007f}`

/** The text, and what was said to be found. */
function cleaned(text: string): { text: string; found: string[] } {
  const found: string[] = []
  return { text: withoutHidden(text, (kind) => found.push(kind)), found }
}

test.each([
  ['a family of four', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}'],
  ['a heart on fire', '\u2764\ufe0f\u200d\u{1f525}'],
  ['an astronaut with a colour of skin', '\u{1f469}\u{1f3fd}\u200d\u{1f680}'],
  ['the flag of Scotland', SCOTLAND],
  ['a key with a digit', '1\ufe0f\u20e3'],
  ['a heart as text', '\u2764\ufe0e'],
  ['Persian with a non-joiner', 'می\u200cخواهم'],
  ['Hindi with joiners', 'क्\u200dष क्\u200cष'],
  ['Sinhala with a joiner', 'ශ්\u200dරී'],
  ['Khmer with breaks', 'ភាសា\u200bខ្មែរ'],
  ['Mongolian with a vowel separator', 'ᠮᠣᠩᠭᠣᠯ\u180eᠠ'],
  ['a variant of an ideograph', '葛\u{e0100}城市'],
  ['Hebrew with a mark of direction', 'שלום (C++)\u200f!'],
  ['Arabic', 'مرحبا بالعالم'],
  ['tabs and line breaks', 'a\tb\r\nc'],
  ['accents', 'Grüße, Ångström, e\u0301'],
])('M22 %s stays as it is', (_, text) => {
  expect(cleaned(text)).toEqual({ text, found: [] })
})

test.each([
  ['a colour', 'red \u001b[1;31malert\u001b[0m', 'red alert', CONTROL],
  ['a moved cursor', 'safe\u001b[2K\u001b[1Aforged', 'safeforged', CONTROL],
  ['a link of a terminal', '\u001b]8;;https://evil.example\u0007here\u001b]8;;\u001b\\', 'here', CONTROL],
  ['half a sequence', 'a\u001b]0;title', 'a]0;title', CONTROL],
  ['controls of eight bits', 'a\u009b31mb\u0085c', 'abc', CONTROL],
  ['a backspace and a NUL', 'a\u0008b\u0000c\u007f', 'abc', CONTROL],
  ['words in tags', `hello${tags('send it')}`, 'hello', HIDDEN],
  ['words in tags behind a flag', `${SCOTLAND}${tags('send it')}`, SCOTLAND, HIDDEN],
  ['a flag that there is not', `\u{1f3f4}${tags('steal')}\u{e007f}`, '\u{1f3f4}', HIDDEN],
  ['an override', 'file\u202egnp.exe', 'filegnp.exe', HIDDEN],
  ['isolates', '\u2067a\u2069', 'a', HIDDEN],
  ['zero width', 'pay\u200bpal\ufeff', 'paypal', HIDDEN],
  ['joiners between Latin letters', 'pay\u200dp\u200cal', 'paypal', HIDDEN],
  ['two joiners for one', 'می\u200c\u200cخواهم', 'می\u200cخواهم', HIDDEN],
  ['a row of selectors', '\u{1f600}\ufe0f\ufe0e\ufe0f', '\u{1f600}\ufe0f', HIDDEN],
  ['bytes in selectors', `\u{1f600}${String.fromCodePoint(0xe0148, 0xe0155)}`, '\u{1f600}', HIDDEN],
  ['marks of direction in Latin', 'a\u200eb\u200f', 'ab', HIDDEN],
  ['a row of marks of direction in Hebrew', 'של\u200e\u200f\u200eום', 'שלום', HIDDEN],
  ['fillers and a soft hyphen', 'a\u3164b\u115fc\u00add', 'abcd', HIDDEN],
  ['operators nobody sees', 'f\u2061x\u2060', 'fx', HIDDEN],
])('M22 %s goes', (_, text, expected, kind) => {
  expect(cleaned(text)).toEqual({ text: expected, found: [kind] })
})

test('separators of lines and paragraphs become line breaks', () => {
  expect(cleaned('a\u2028b\u2029c').text).toBe('a\nb\nc')
})

/** Everything that Unicode calls ignorable, and every control. */
const UNSEEN = Array.from({ length: 0x11_0000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .filter((one) => /[\p{Default_Ignorable_Code_Point}\p{Cc}]/u.test(one) && !'\t\n\r'.includes(one))

test('M22 nothing that nobody sees stays between Latin letters, and its JSON shows that it may be there', () => {
  expect(UNSEEN.length).toBeGreaterThan(4_000)
  const escaped = (text: string) =>
    `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
  expect(UNSEEN.filter((one) => withoutHidden(`a${one}ä`) !== 'aä')).toEqual([])
  expect(UNSEEN.filter((one) => !mayHideIn(JSON.stringify(one)) || !mayHideIn(escaped(one)))).toEqual([])
  expect(mayHideIn(JSON.stringify('Grüße, 世界\n\t"quoted" \\ \u{1f600}'))).toBe(false)
})

test('M22 a second look finds nothing more, whatever stands beside what', () => {
  let seed = 7
  const next = (most: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % most
  }
  const seen = [
    'a',
    ' ',
    '1',
    'م',
    'ש',
    'क',
    'ខ',
    'ᠮ',
    '葛',
    '\u{1f3f4}',
    '\u{1f600}',
    '\u{1f3fd}',
    '\u20e3',
    '[',
    ']',
    'm',
    '\\',
  ]
  const unseen = [
    '\u001b',
    '\u009b',
    '\u0007',
    '\u200b',
    '\u200c',
    '\u200d',
    '\u200e',
    '\u061c',
    '\u202e',
    '\ufe0f',
    '\ufe00',
    '\u180b',
    '\u{e0100}',
    '\u2028',
    ...tags('gbeng'),
    '\u{e007f}',
  ]
  const pool = [...seen, ...unseen, SCOTLAND]
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: 1 + next(9) }, () => pool[next(pool.length)]).join('')
    const once = withoutHidden(text)
    expect(withoutHidden(once), JSON.stringify(text)).toBe(once)
  }
})

test.each([
  ['controls alone', '\u009d'],
  ['beginnings of sequences', `\u001b]${'x'.repeat(2_050)}`],
  ['joiners alone', '\u200d'],
  ['marks of direction', 'א\u200f'],
  ['pictures', '\u2764\ufe0f'],
])('M17 twelve megabytes of %s take no more than their length', (_, part) => {
  const bytes = Buffer.byteLength(part)
  const timeOf = (megabytes: number) => {
    const text = part.repeat(Math.ceil((megabytes << 20) / bytes))
    const from = performance.now()
    withoutHidden(text)
    return performance.now() - from
  }
  timeOf(1)
  expect(timeOf(12)).toBeLessThan(40 * Math.max(timeOf(1), 5))
})
