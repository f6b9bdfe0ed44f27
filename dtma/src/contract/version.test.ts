import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { compareVersions } from './version.ts'

test.each([
  ['1.2.3', '1.2.3', 0],
  ['1.2.3', '1.2.4', -1],
  ['1.10.0', '1.9.9', 1],
  ['2.0.0', '1.99.99', 1],
  ['latest', '0.0.0', -1],
  ['1.2', '0.0.1', -1],
])('%s against %s', (a, b, sign) => expect(Math.sign(compareVersions(a, b))).toBe(sign))

test('the image says the version of the package that is in it', () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8')
  expect(/^LABEL agentopia\.dtma\.version="(.*)"$/m.exec(dockerfile)?.[1]).toBe(manifest.version)
})
