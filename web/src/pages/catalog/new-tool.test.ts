import { NewTool } from '@agentopia/api'
import { expect, test } from 'vitest'
import { EMPTY_DRAFT, idFrom, toolOf } from './new-tool.ts'

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
    { kind: 'npm', source: '@scope/server', version: '1.2.3' },
    { type: 'npm', name: '@scope/server', version: '1.2.3' },
  ],
  [
    'pypi',
    { kind: 'pypi', source: 'time-server', version: '1.0' },
    { type: 'pypi', name: 'time-server', version: '1.0' },
  ],
  ['oci', { kind: 'oci', source: 'registry.example/a/b:1' }, { type: 'oci', image: 'registry.example/a/b:1' }],
  [
    'archive',
    { kind: 'archive', source: ARCHIVE.digest },
    { type: 'oci', image: 'team/server:1', archive: ARCHIVE.digest },
  ],
] as const)('a draft of kind %s is a tool that the contract takes', (_, given, expected) => {
  const body = toolOf({ ...EMPTY_DRAFT, ...given, id: 'mine' }, [ARCHIVE])
  expect(NewTool.parse(body).spec.package).toEqual(expected)
})

test('what it may reach, and what it gets, are as typed', () => {
  const npm = { ...EMPTY_DRAFT, source: 'x', version: '1.0.0', id: 'x' }
  const spec = (more: object) => NewTool.parse(toolOf({ ...npm, ...more }, [])).spec
  expect(spec({}).egress).toBe('none')
  expect(spec({ egress: ' any ' }).egress).toBe('any')
  expect(spec({ egress: 'a.example, b.example:8443' }).egress).toEqual([
    { host: 'a.example', port: 443 },
    { host: 'b.example', port: 8443 },
  ])
  expect(spec({ profile: 'browser' })).toMatchObject({
    profiles: ['browser'],
    resources: { memoryMib: 1_024, pids: 256 },
  })
  expect(spec({ http: '3001', state: '/data', args: ' a  b ' })).toMatchObject({
    transport: { type: 'http', port: 3001, path: '/mcp' },
    state: { path: '/data' },
    args: ['a', 'b'],
  })
  expect(spec({ http: ' 3001/sse ' }).transport).toEqual({ type: 'http', port: 3001, path: '/sse' })
  expect(() => spec({ http: 'sse' })).toThrow(/port/)
})

test.each([
  ['@modelcontextprotocol/server-everything', 'server-everything'],
  ['registry.example/owner/Some.Server:1.2', 'some-server'],
  ['', ''],
])('"%s" is called "%s" at first', (source, id) => {
  expect(idFrom(source)).toBe(id)
})

test('a secret of each agent has a key, a label, and a place where the server finds it', () => {
  const draft = { ...EMPTY_DRAFT, kind: 'oci', source: 'registry.example/a/b:1', id: 'mine' } as const
  const row = { row: 1, name: 'apiKey', label: '', delivery: 'env', place: 'API_KEY', required: true } as const
  const file = { row: 2, name: 'token', label: 'Token', delivery: 'file', place: 'token', required: false } as const
  expect(NewTool.parse(toolOf({ ...draft, secrets: [row, file] }, [])).secrets).toEqual([
    { key: 'apiKey', title: 'apiKey', required: true, target: { env: 'API_KEY' } },
    { key: 'token', title: 'Token', required: false, target: { file: '/tmp/secrets/token' } },
  ])
})
