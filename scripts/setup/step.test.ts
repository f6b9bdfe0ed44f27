import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

// What a file or a pipe gets: nobody sees a line there that is begun and not ended.

const SCRIPT = `
  import { step } from ${JSON.stringify(new URL('./step.mjs', import.meta.url).href)}
  await step('Slow', () => process.stdout.write('(at work)\\n'))
  await step('Failing', () => { throw new Error('no') }).catch(() => {})
`

test('without a terminal each step is named when it begins, and again when it ends', () => {
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { encoding: 'utf8' })
  const lines = printed.split('\n').map((line) => line.trim().replace(/\s+[\d.]+ s$/, ''))
  expect(lines).toEqual(['… Slow', '(at work)', '✔ Slow', '… Failing', '✖ Failing', ''])
})
