import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import type { PypiPackage } from '../contract/tool-package.ts'
import { buildFailureOf, buildStepOf } from './package-image.ts'
import { PYPI_COMPLAINTS, pypiRecipe } from './pypi-image.ts'

const BASE = `sha256:${'a'.repeat(64)}`
const server: PypiPackage = { type: 'pypi', name: 'Mcp_Server.Time', version: '1.2.3' }

test('the tag names the package, the version and exactly this recipe', () => {
  const { tag } = pypiRecipe(server, BASE)
  expect(tag).toMatch(/^agentopia-tool\/mcp-server-time:1\.2\.3-[0-9a-f]{12}$/)
  expect(pypiRecipe(server, BASE).tag).toBe(tag)
  expect(pypiRecipe({ ...server, bin: 'x' }, BASE).tag).not.toBe(tag)
  expect(pypiRecipe(server, BASE, 'https://index.example/simple').tag).not.toBe(tag)
})

test('only wheels are installed, of one exact version, and nothing of the package is written into the Dockerfile', () => {
  const { Dockerfile, 'requirements.txt': requirements } = pypiRecipe(server, BASE).files
  expect(Dockerfile).toContain('--only-binary :all:')
  expect(Dockerfile).not.toContain('Mcp_Server')
  expect(requirements).toBe('Mcp_Server.Time==1.2.3\n')
})

test('an index without TLS is one that somebody means', () => {
  expect(pypiRecipe(server, BASE, 'https://i.example/simple').files['requirements.txt']).toBe(
    '--index-url https://i.example/simple\nMcp_Server.Time==1.2.3\n',
  )
  expect(pypiRecipe(server, BASE, 'http://10.0.0.1:8080/simple').files['requirements.txt']).toContain(
    '--trusted-host 10.0.0.1:8080\n',
  )
})

const accepts = (name: string, version: string) =>
  ToolSpec.safeParse({ package: { type: 'pypi', name, version }, transport: { type: 'stdio' } }).success

test.each(['1', '1.0', '2026.11.27', '1.0a1', '1.0rc2', '1.0.post1', '1.0.dev3'])(
  '%s is an exact version',
  (version) => {
    expect(accepts('x', version)).toBe(true)
  },
)
test.each(['', '1.*', '>=1', '1.0,<2', '1.0 --index-url http://x', '1.0\n-r /etc/passwd', '1!2.0', '1.0+local'])(
  '"%s" is none',
  (version) => {
    expect(accepts('x', version)).toBe(false)
  },
)

test('whatever name passes the contract makes a tag that Docker takes, and one line of requirements', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (name) => {
      if (!accepts(name, '1.0')) return
      const { tag, files } = pypiRecipe({ ...server, name, version: '1.0' }, BASE)
      expect(tag).toMatch(/^agentopia-tool\/[a-z0-9]+(?:-[a-z0-9]+)*:[\w][\w.-]{0,127}$/)
      expect(files['requirements.txt']!.split('\n')).toHaveLength(2)
    }),
  )
})

test.each(['resolve_entry.py', 'with_secrets.py'])('%s is Python', (name) => {
  const script = pypiRecipe(server, BASE).files[name]!
  const parse = 'import ast, sys; ast.parse(sys.stdin.read())'
  expect(spawnSync('python3', ['-c', parse], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0 })
})

test.each([
  ['ERROR: No matching distribution found for x==9', 'package_not_found', true],
  [
    'NewConnectionError: Failed to establish a new connection\nERROR: No matching distribution',
    'registry_unreachable',
    false,
  ],
  ['[Errno 28] No space left on device', 'disk_full', false],
  ['entry: the package has no command', 'build_failed', true],
])('output that ends with "%s" means %s', (output, reason, lasting) => {
  expect(buildFailureOf(output, server, PYPI_COMPLAINTS)).toMatchObject({ reason, lasting })
})

test('its steps are told in words', () => {
  expect(buildStepOf('Step 5/10 : RUN python3 -m pip install')).toMatchObject({ step: 'Installing the package' })
  expect(buildStepOf('Step 6/10 : RUN python3 -I resolve_entry.py')).toMatchObject({ step: 'Finding its command' })
})
