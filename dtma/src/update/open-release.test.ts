import { expect, test } from 'vitest'
import { ProblemError } from '../contract/problem.ts'
import type { Release, SignedRelease } from '../contract/release.ts'
import { openRelease } from './open-release.ts'
import { releaseKeys } from './release.testing.ts'

const keys = releaseKeys()
const release: Release = {
  product: 'dtma',
  version: '1.10.0',
  image: { id: `sha256:${'a'.repeat(64)}`, sha256: 'b'.repeat(64), size: 7 },
}
const opening = { key: keys.publicKey, running: '1.9.0', attempt: 'mine' }
const codeOf = (signed: SignedRelease, running = '1.9.0'): string => {
  try {
    openRelease(signed, { ...opening, running })
    return 'accepted'
  } catch (error) {
    return error instanceof ProblemError ? error.code : String(error)
  }
}

test('a release of the key that enrolment gave is read', () => {
  expect(openRelease(keys.sign(release), opening)).toEqual(release)
})

test.each<[string, SignedRelease]>([
  ['signed by another key', releaseKeys().sign(release)],
  ['whose text was changed', { ...keys.sign(release), manifest: JSON.stringify({ ...release, version: '9.9.9' }) }],
  ['without a signature', { ...keys.sign(release), signature: '' }],
  ['with half a signature', { ...keys.sign(release), signature: keys.sign(release).signature.slice(0, 40) }],
  ['of another product', keys.sign({ ...release, product: 'other' } as unknown as Release)],
  ['with a field that nobody knows', keys.sign({ ...release, run: 'sh' } as Release)],
  ['of no version', keys.sign({ ...release, version: 'latest' })],
])('U02 a release %s is refused', (_, signed) => expect(codeOf(signed)).toBe('release-untrusted'))

test.each([
  ['1.10.0', 'release-not-newer'],
  ['1.11.0', 'release-not-newer'],
  ['2.0.0', 'release-not-newer'],
  ['1.9.9', 'accepted'],
])('U02 version 1.10.0 over %s: %s', (runs, outcome) => expect(codeOf(keys.sign(release), runs)).toBe(outcome))

test.each([
  ['mine', '1.10.0', 'accepted'],
  ['mine', '1.9.0', 'accepted'],
  ['mine', '1.10.1', 'release-not-newer'],
  ['mine', '2.0.0', 'release-not-newer'],
  ['another', '1.10.0', 'release-not-newer'],
])(
  'U02 version 1.10.0 that is signed to be deployed again in the attempt `%s`, in `mine` over %s: %s',
  (again, runs, outcome) => expect(codeOf(keys.sign({ ...release, again }), runs)).toBe(outcome),
)

test('U02 what allows the same version again is signed, too', () => {
  const { manifest, signature } = keys.sign(release)
  const changed = JSON.stringify({ ...JSON.parse(manifest), again: 'mine' })
  expect(codeOf({ manifest: changed, signature }, '1.10.0')).toBe('release-untrusted')
})
