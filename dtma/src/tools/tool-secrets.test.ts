import { expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createBody } from './create-body.ts'
import { createToolSecrets, isStale, missingAmong, secretsLine } from './tool-secrets.ts'

const npm = { type: 'npm', name: 'mail', version: '1.0.0' } as const
const oci = { type: 'oci', image: `example/mail@sha256:${'0'.repeat(64)}` } as const
const transport = { type: 'stdio' } as const
const spec = ToolSpec.parse({
  package: npm,
  transport,
  secrets: [
    { name: 'apiKey', env: 'API_KEY' },
    { name: 'certificate', file: '/tmp/secrets/client.pem', required: false },
  ],
})

test.each([
  ['a reserved variable', { secrets: [{ name: 'a', env: 'NODE_OPTIONS' }] }, /secrets/],
  ['a file outside of /tmp', { secrets: [{ name: 'a', file: '/etc/passwd' }] }, /secrets/],
  ['a file that climbs out of /tmp', { secrets: [{ name: 'a', file: '/tmp/../etc/x' }] }, /secrets/],
  ['one name twice', { secrets: [{ name: 'a', env: 'A' }, { name: 'a', env: 'B' }] }, /twice/], // biome-ignore format: one row
  ['one place twice', { secrets: [{ name: 'a', env: 'A' }, { name: 'b', env: 'A' }] }, /one place/], // biome-ignore format: one row
  ['the name of a plain variable', { env: { A: '1' }, secrets: [{ name: 'a', env: 'A' }] }, /one name/],
  ['a value', { secrets: [{ name: 'a', env: 'A', value: 'x' }] }, /secrets/],
])('a spec with %s is refused', (_, part, message) => {
  const parsed = ToolSpec.safeParse({ package: npm, transport, ...part })
  expect(JSON.stringify(parsed.error?.issues)).toMatch(message)
})

test('an image takes secrets as a package does', () => {
  const secrets = [{ name: 'a', env: 'A' }]
  expect(ToolSpec.parse({ package: oci, transport, secrets }).secrets).toMatchObject(secrets)
})

test('K03 the create body names no secret, and begins with what takes them from standard input', () => {
  const body = createBody({
    name: 'mail',
    generation: 1,
    spec,
    owner: 'o',
    claim: 'c',
    image: {
      Id: 'sha256:1',
      RepoTags: [],
      RepoDigests: [],
      Size: 0,
      Config: {
        Entrypoint: ['node', '/tool/entry'],
        Cmd: [],
        Env: [],
        WorkingDir: '',
        Labels: {},
        Volumes: [],
        ExposedPorts: [],
      },
    },
    engine: { NCPU: 1, SecurityOptions: [] },
  })
  expect(body.Entrypoint.slice(-2)).toEqual(['/tool/with-secrets.mjs', '/tool/entry'])
  expect(body.OpenStdin).toBe(true)
  expect(JSON.stringify(body)).not.toMatch(/API_KEY|client\.pem/)
})

test('the line puts each value in its place, and leaves out what was not declared', () => {
  const values = { apiKey: 'k', certificate: 'line 1\nline 2', stray: 'x' }
  expect(secretsLine(spec.secrets!, { version: '1', values })).toBe(
    `{"dtmaSecrets":{"env":{"API_KEY":"k"},"files":{"/tmp/secrets/client.pem":"line 1\\nline 2"}}}\n`,
  )
})

test('only what is required can be missing', () => {
  expect(missingAmong(spec.secrets!, undefined)).toEqual(['apiKey'])
  expect(missingAmong(spec.secrets!, { version: '1', values: { certificate: 'x' } })).toEqual(['apiKey'])
  expect(missingAmong(spec.secrets!, { version: '1', values: { apiKey: 'x' } })).toEqual([])
})

test.each([
  ['nothing was started', undefined, { version: '2', values: {} }, false],
  ['the same version is held', '1', { version: '1', values: {} }, false],
  ['another version is held', '1', { version: '2', values: {} }, true],
  ['they were withdrawn', '1', 'withdrawn', true],
  ['this run was not told yet: it may be right', '1', undefined, false],
] as const)('%s', (_, used, held, stale) => {
  expect(isStale(used, held)).toBe(stale)
})

test('K01 held values are told to the log, and taken out of what is shown', () => {
  const told: string[] = []
  const secrets = createToolSecrets((value) => told.push(value))
  secrets.hold('mail', { version: '1', values: { apiKey: 'canary-of-mail' } })
  expect(told).toEqual(['canary-of-mail'])
  expect(secrets.redacted('mail', 'refused: canary-of-mail')).toBe('refused: ***')
  expect(secrets.redacted('other', 'canary-of-mail')).toBe('canary-of-mail')
})
