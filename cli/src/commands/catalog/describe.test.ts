import { expect, test } from 'vitest'
import { toolFrom } from './describe.ts'

const ARCHIVE = {
  digest: `sha256:${'a'.repeat(64)}`,
  size: 1,
  received: 1,
  state: 'ready',
  image: 'team/server:1',
  createdAt: '2026-01-01T00:00:00.000Z',
} as const

test.each([
  [
    'npm',
    { npm: '@scope/server@1.2.3', bin: 'serve' },
    { type: 'npm', name: '@scope/server', version: '1.2.3', bin: 'serve' },
  ],
  ['PyPI', { pypi: 'mcp-server-time==2026.1.0' }, { type: 'pypi', name: 'mcp-server-time', version: '2026.1.0' }],
  ['an image', { oci: 'registry.example/owner/server:1' }, { type: 'oci', image: 'registry.example/owner/server:1' }],
  ['an archive', { archive: 'team/server:1' }, { type: 'oci', image: 'team/server:1', archive: ARCHIVE.digest }],
])('%s', (_, flags, expected) => {
  expect(toolFrom({ id: 'x', ...flags }, [ARCHIVE]).spec.package).toEqual(expected)
})

test.each([
  ['nothing', {}, /Say what it is made of/],
  ['two things', { npm: 'a@1.0.0', pypi: 'b==1' }, /Say what it is made of/],
  ['a package without a version', { npm: '@scope/server' }, /exact version/],
  ['an archive that nobody pushed', { archive: 'other:1' }, /0 archives/],
])('%s is told', (_, flags, message) => {
  expect(() => toolFrom({ id: 'x', ...flags }, [ARCHIVE])).toThrow(message)
})

test('the flags say how it runs', () => {
  const flags = {
    id: 'x',
    npm: 'a@1.0.0',
    args: 'serve  --fast',
    env: 'A=1,B=x=y',
    http: '3001/api',
    egress: 'a.example,b.example:8443',
  }
  expect(toolFrom({ ...flags, state: '/data', profile: 'browser,exec-tmp', memory: '1024' }, []).spec).toMatchObject({
    args: ['serve', '--fast'],
    env: { A: '1', B: 'x=y' },
    transport: { type: 'http', port: 3001, path: '/api' },
    egress: [{ host: 'a.example' }, { host: 'b.example', port: 8443 }],
    state: { path: '/data' },
    profiles: ['browser', 'exec-tmp'],
    resources: { memoryMib: 1024 },
  })
})
