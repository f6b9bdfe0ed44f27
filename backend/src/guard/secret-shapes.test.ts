import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SECRET_SHAPES, shapesIn, withoutShapes } from './secret-shapes.ts'

/** In pieces: this file holds nothing that a scanner for leaked secrets would find. */
const letters = (count: number) => 'aB3dE5gH7jK9mN1pQ'.repeat(100).slice(0, count)
const EXAMPLES: readonly (readonly [kind: string, secret: string])[] = [
  ['agentopia-token', `agt${'_'}${letters(43)}`],
  ['github-token', `ghp${'_'}${letters(36)}`],
  ['github-token', `github${'_pat_'}${letters(82)}`],
  ['gitlab-token', `glpat${'-'}${letters(20)}`],
  ['aws-key', `AKIA${'ABCDEFGH234567AB'}`],
  ['slack-token', `xoxb${'-'}123456789012-${letters(24)}`],
  ['google-key', `AIza${letters(35)}`],
  ['google-token', `ya29${'.'}${letters(120)}`],
  ['google-secret', `GOCSPX${'-'}${letters(28)}`],
  ['openai-key', `sk-proj${'-'}${letters(120)}`],
  ['anthropic-key', `sk-ant${'-'}api03-${letters(93)}`],
  ['stripe-key', `sk_live${'_'}${letters(24)}`],
  ['npm-token', `npm${'_'}${letters(36)}`],
  ['pypi-token', `pypi${'-'}AgEI${letters(100)}`],
  ['digitalocean-token', `dop_v1${'_'}${'0a1b2c3d'.repeat(8)}`],
  ['sendgrid-key', `SG${'.'}${letters(22)}.${letters(43)}`],
  ['huggingface-token', `hf${'_'}${letters(34)}`],
  ['shopify-token', `shpat${'_'}${'0a1b2c3d'.repeat(4)}`],
  ['linear-key', `lin_api${'_'}${letters(40)}`],
  ['jwt', `eyJ${letters(30)}.eyJ${letters(60)}.${letters(43)}`],
  [
    'private-key',
    `-----BEGIN RSA ${'PRIVATE KEY'}-----\nProc-Type: 4,ENCRYPTED\n\n${letters(600)}\n-----END RSA PRIVATE KEY-----`,
  ],
  ['private-key', `-----BEGIN ${'PRIVATE KEY'}-----\n${letters(600)}`],
]

const clean = (text: string) => {
  const kinds: string[] = []
  return { text: withoutShapes(text, SECRET_SHAPES, (kind) => kinds.push(kind)), kinds }
}

test.each(EXAMPLES)('a %s is found wherever it stands', (kind, secret) => {
  const redacted = `[redacted: ${kind}]`
  for (const around of [
    ['', ''],
    ['KEY=', '\nNEXT=1'],
    ['{"key":"', '"}'],
    ['a\\n', '\\n'],
    ['(', ') and so on'],
  ]) {
    const [before, after] = around as [string, string]
    const found = clean(before + secret + after)
    if (secret.includes('-----') && !secret.includes('END')) expect(found.text.startsWith(before + redacted)).toBe(true)
    else expect(found).toEqual({ text: before + redacted + after, kinds: [kind] })
  }
})

test('of an address with a password only the password goes, and of a setting only its value', () => {
  const [password, key] = ['hunter2hunter2', letters(40)]
  expect(clean(`postgres://bob:${password}@db/x`).text).toBe('postgres://bob:[redacted: password-in-address]@db/x')
  expect(clean(`aws_secret_access_key = ${key}`).text).toBe('aws_secret_access_key = [redacted: aws-key]')
  expect(clean(`https://hooks.slack.com/services/T0000/B0000/${letters(24)}${letters(10)}`).text).toMatch(
    /services\/\[redacted: slack-webhook\]$/,
  )
})

test.each([
  'a word',
  'https://example.com:8080/path?next=https://a@b',
  'npm_config_registry and hf_hub and sk_live_',
  `X-Amz-Credential=AKIA${'ABCDEFGH234567AB'}%2F20260101`,
  'SG.1.2 eyJ eyJ.eyJ. ya29. xoxb- -----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  `notaghp${'_'}${letters(36)}`,
  `sha512-${letters(86)}==`,
])('no secret, and left as it is: %s', (text) => expect(clean(text)).toEqual({ text, kinds: [] }))

test('no rule can repeat without a bound, whatever the text', () => {
  for (const { kind, pattern } of SECRET_SHAPES) {
    const plain = pattern.source.replaceAll(/\\./g, 'x').replaceAll(/\[[^\]]*\]/g, 'x')
    expect([kind, plain.match(/[*+]|\{\d+,\}/g)]).toEqual([kind, null])
    // A group that repeats holds no repetition, but for the one whose alternatives exclude each other.
    expect([kind, plain.match(/\{\d+,\d+\}\)\{/g)]).toEqual([kind, null])
  }
})

test('a text made of beginnings is read to its end', () => {
  for (const { marks } of SECRET_SHAPES)
    for (const mark of marks) expect(clean(`${mark}${'a'.repeat(30)} `.repeat(20_000)).text.length).toBeGreaterThan(0)
})

test('by its JSON alone it is known which shapes a value can hold, and escapes hide none', () => {
  fc.assert(
    fc.property(fc.constantFrom(...EXAMPLES), fc.boolean(), ([kind, secret], escaped) => {
      const json = JSON.stringify({ text: `x ${secret}` })
      const first = `\\u${secret.charCodeAt(0).toString(16).padStart(4, '0')}`
      const kinds = shapesIn(escaped ? json.replace(secret[0]!, first) : json).map((shape) => shape.kind)
      expect(kinds).toContain(kind)
    }),
  )
  expect(shapesIn('{"text":"nothing of the kind"}')).toEqual([])
})
