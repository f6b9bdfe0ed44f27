/** What was taken out of a text: `control-characters` move a terminal; `hidden-characters` are read by models and seen by nobody. */
export const CONTROL = 'control-characters'
export const HIDDEN = 'hidden-characters'

/** Scripts in which joiners shape what is seen. */
const JOINING =
  'Arab Syrc Mand Mong Nkoo Phag Adlm Rohg Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr Tibt Bali Java'
    .split(' ')
    .map((script) => `\\p{scx=${script}}`)
    .join('')
/** Scripts without spaces, in which lines break where it is said. */
const BREAKING = '\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}'
const IGNORED = '\\p{Default_Ignorable_Code_Point}'
const PICTURE = '\\p{Extended_Pictographic}'

/** The flags that there are of tags behind a black one: England, Scotland, Wales. */
const FLAGS = ['gbeng', 'gbsct', 'gbwls'].map((name) => [
  ...[...name].map((letter) => `\\u{${(0xe0000 + letter.codePointAt(0)!).toString(16)}}`),
  '\\u{E007F}',
])

/** A character that belongs where it is, as its end is seen from behind. */
const belonging = (before: string, character: string, after = ''): string =>
  `${before}${character}${after === '' ? '' : `(?=${after})`}`

const BELONGING = [
  belonging(`${PICTURE}(?:\\p{Emoji_Modifier}|\\uFE0F)?`, '\\u200D', PICTURE),
  belonging(`(?!${IGNORED})[${JOINING}]`, '[\\u200C\\u200D]'),
  belonging(`(?!${IGNORED})[${BREAKING}]`, '\\u200B', `(?!${IGNORED})[${BREAKING}]`),
  belonging(PICTURE, '[\\uFE0E\\uFE0F]'),
  belonging('[0-9#*]', '\\uFE0F', '\\u20E3'),
  belonging('[\\p{Ideographic}\\p{Sm}\\p{scx=Mymr}\\p{scx=Phag}]', '[\\uFE00-\\uFE02]'),
  belonging('\\p{Ideographic}', '[\\u{E0100}-\\u{E01EF}]'),
  belonging(`(?!${IGNORED})\\p{scx=Mong}`, '[\\u180B-\\u180F]'),
  ...FLAGS.flatMap((tags) =>
    tags.map((tag, at) => belonging(`\\u{1F3F4}${tags.slice(0, at).join('')}`, tag, tags.slice(at + 1).join(''))),
  ),
]
/** Among letters that run from right to left, one mark of direction between what is seen is honest. */
const BELONGING_IN_RIGHT_TO_LEFT = belonging(`(?<!${IGNORED})`, '[\\u061C\\u200E\\u200F]', `(?!${IGNORED})`)
const RIGHT_TO_LEFT = /(?=\p{L})[\p{scx=Hebr}\p{scx=Arab}\p{scx=Syrc}\p{scx=Thaa}\p{scx=Nkoo}\p{scx=Adlm}]/u
const MARK_OF_DIRECTION = /[\u061C\u200E\u200F]/

/** The character comes first, so that most of a text is passed over at one look each. */
const unless = (belonging: readonly string[]): RegExp =>
  new RegExp(`[${IGNORED}\\uFFF9-\\uFFFB](?<!(?:${belonging.join('|')}))`, 'gu')
const UNSEEN = unless(BELONGING)
const UNSEEN_IN_RIGHT_TO_LEFT = unless([...BELONGING, BELONGING_IN_RIGHT_TO_LEFT])

/** Sequences for a terminal go whole, so that nothing of them stays; other controls one by one. Tabs and line breaks are none. */
const CONTROLS = new RegExp(
  [
    '(?:\\u001B\\[|\\u009B)[0-?]{0,64}[ -/]{0,8}[@-~]',
    '(?:\\u001B[\\]PX^_]|[\\u0090\\u0098\\u009D-\\u009F])[^\\u0007\\u001B\\u0080-\\u009F]{0,2048}(?:\\u0007|\\u001B\\\\|\\u009C)',
    '[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u009F]',
  ].join('|'),
  'g',
)

/** Every character of which something may have to be taken out, or the first half of it. */
const MAY_HIDE =
  '\\u00AD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u206F\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0\\uFFF0-\\uFFFB\\uD82F\\uD834\\uDB40-\\uDB43'
const SUSPECT = new RegExp(`[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u009F${MAY_HIDE}]`)
const SUSPECT_IN_JSON = new RegExp(`[\\u007F-\\u009F${MAY_HIDE}]`)
const ESCAPED_IN_JSON =
  /\\(?:[bf]|u(?:00(?:[01][0-9a-f]|7f|[89][0-9a-f]|ad)|034f|061c|115f|1160|17b[45]|180[b-f]|20(?:0[b-f]|2[89a-e]|6[0-9a-f])|3164|fe0[0-9a-f]|feff|ffa0|fff[0-9ab]|d82f|d834|db4[0-3]))/i

/** May a text of this JSON hold anything that is taken out? One look, for the most part; what it finds may belong where it is. */
export const mayHideIn = (json: string): boolean => SUSPECT_IN_JSON.test(json) || ESCAPED_IN_JSON.test(json)

/**
 * A text as people see it: without controls but tabs and line breaks, without sequences for terminals, and without what nobody
 * sees and models read: tags, zero width, fillers, whatever turns the direction. What pictures and scripts need stays. Separators of
 * lines and paragraphs become line breaks. Applied twice it changes nothing more.
 * @returns the very text when it holds nothing of the kind.
 */
export function withoutHidden(text: string, found: (kind: string) => void = () => {}): string {
  if (!SUSPECT.test(text)) return text
  const still = text.replace(CONTROLS, '')
  if (still !== text) found(CONTROL)
  const lines = still.replace(/[\u2028\u2029]/g, '\n')
  const isRightToLeft = MARK_OF_DIRECTION.test(lines) && RIGHT_TO_LEFT.test(lines)
  const seen = lines.replace(isRightToLeft ? UNSEEN_IN_RIGHT_TO_LEFT : UNSEEN, '')
  if (seen !== still) found(HIDDEN)
  return seen
}
