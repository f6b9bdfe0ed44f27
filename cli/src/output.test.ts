import { expect, test } from 'vitest'
import { createOutput } from './output.ts'

/** Would write to the clipboard, clear the screen, and go back to the beginning of the line. */
const EVIL = 'x\u001b]52;c;ZXZpbA==\u0007\u009b2J\u007fy\rz'
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/

test.each([true, false])('whatever a command renders, no terminal obeys it (as JSON: %s)', (json) => {
  const told: string[] = []
  const tell = (text: string) => void told.push(text)
  const output = createOutput(json, { out: tell, err: tell })
  output.result({ at: EVIL }, ({ at }) => `first\n${at}  a line`)
  output.event({ at: EVIL }, ({ at }) => at)
  output.note(EVIL)
  expect(told.join('').match(/52;c;ZXZpbA==/g)).toHaveLength(json ? 2 : 3)
  expect(told.join('')).not.toMatch(OBEYED)
  if (json) expect(JSON.parse(told[1]!)).toEqual({ at: EVIL })
  else expect(told[0]).toMatch(/^first\nx/)
})
