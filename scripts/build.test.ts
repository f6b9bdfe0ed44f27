import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ASSETS = join(import.meta.dirname, '../dist/page/assets')
/** Said by React for developers alone. */
const FOR_DEVELOPERS = 'Encountered two children with the same key'

test('the page is built for people, also where the shell is one of tests, as this one', () => {
  const programs = readdirSync(ASSETS).filter((name) => name.endsWith('.js'))
  expect(programs).not.toEqual([])
  expect(programs.filter((name) => readFileSync(join(ASSETS, name), 'utf8').includes(FOR_DEVELOPERS))).toEqual([])
})
