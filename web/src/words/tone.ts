/** What a status means to whoever looks: colour, glyph and order follow from it. `idle`: as asked, and nothing happens. */
export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'idle'
