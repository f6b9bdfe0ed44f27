/** Controls, marks of direction, tags and what has no width: a reader must see that they are there. */
const HIDDEN =
  /(?![\t\n\r])(?:[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u115f\u1160\u3164\uffa0]|\u034f|[\u{fe00}-\u{fe0f}]|[\u{e0100}-\u{e01ef}])/u
const EACH_HIDDEN = new RegExp(HIDDEN, 'gu')

/** The text with such characters written out: `\u{200b}`. */
export const visible = (text: string): string =>
  text.replace(EACH_HIDDEN, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`)

/** Does it hold characters that cannot be seen? Line breaks and tabs are seen. */
export const hidesText = (text: string): boolean => HIDDEN.test(text)
