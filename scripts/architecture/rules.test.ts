import { describe, expect, it } from 'vitest'
import { violationsIn } from './rules.ts'

/** `path:line rule` of everything that is wrong with one file. */
const wrongWith = (path: string, ...lines: string[]): string[] =>
  violationsIn([{ path, text: lines.join('\n') }]).map((found) => `${found.path}:${found.line} ${found.rule}`)

describe('packages', () => {
  it('import each other by name, and one way only', () => {
    const clean = [
      ['api/src/a.ts', '@agentopia/dtma/contract'],
      ['backend/src/a.ts', '@agentopia/api'],
      ['backend/src/a.ts', '@agentopia/dtma/tunnel'],
      ['web/src/a.tsx', '@agentopia/api'],
      ['e2e/story.ts', '@agentopia/dtma/contract'],
      ['backend/src/a.test.ts', '@agentopia/dtma/testing'],
    ] as const
    for (const [path, specifier] of clean) expect(wrongWith(path, `import { x } from '${specifier}'`)).toEqual([])

    const wrong = [
      ['dtma/src/a.ts', '@agentopia/api'],
      ['api/src/a.ts', '@agentopia/backend'],
      ['backend/src/a.ts', '@agentopia/dtma'],
      ['backend/src/a.ts', '@agentopia/dtma/testing'],
      ['web/src/a.tsx', '@agentopia/dtma/contract'],
      ['cli/src/a.ts', '@agentopia/dtma/contract'],
      ['e2e/story.ts', '@agentopia/dtma/tunnel'],
    ] as const
    for (const [path, specifier] of wrong)
      expect(wrongWith(path, `import { x } from '${specifier}'`)).toEqual([`${path}:1 package-boundary`])
  })

  it('never reach into the files of another', () => {
    expect(wrongWith('cli/src/a.ts', "import { x } from '../../backend/src/config.ts'")).toEqual([
      'cli/src/a.ts:1 package-boundary',
    ])
    expect(wrongWith('web/src/a.ts', '', `const x = await ${'import'}('../../api/src/agents.ts')`)).toEqual([
      'web/src/a.ts:2 package-boundary',
    ])
    expect(wrongWith('cli/src/a/b.ts', "export * from '../c.ts'")).toEqual([])
  })

  it('are read whatever the form of the import', () => {
    const text = ['import {', '  type A,', '  b,', "} from '@agentopia/backend'", "export * from '@agentopia/web'"]
    expect(wrongWith('cli/src/a.ts', ...text)).toEqual([
      'cli/src/a.ts:4 package-boundary',
      'cli/src/a.ts:5 package-boundary',
    ])
  })

  it('give scripts nothing but the tables that are printed', () => {
    expect(wrongWith('scripts/docs/a.ts', "import { Environment } from '../../dtma/src/config.ts'")).toEqual([])
    expect(wrongWith('scripts/docs/a.ts', "import { x } from '../../dtma/src/log.ts'")).toEqual([
      'scripts/docs/a.ts:1 package-boundary',
    ])
  })
})

describe('code that is shipped', () => {
  it('imports nothing that is made for tests', () => {
    for (const file of ['./clock.testing.ts', '../store/testing.ts', './fixtures/caller.ts', './clock.test.ts'])
      expect(wrongWith('backend/src/a/b.ts', `import { x } from '${file}'`)).toEqual(['backend/src/a/b.ts:1 test-code'])
    expect(wrongWith('backend/src/a/b.test.ts', "import { x } from './clock.testing.ts'")).toEqual([])
    expect(wrongWith('backend/src/a/b.ts', "import { x } from './contest.ts'")).toEqual([])
  })

  it('starts programs, but no shell', () => {
    for (const line of [
      "import { exec } from 'node:child_process'",
      "import { spawn, execSync } from 'child_process'",
      "import * as processes from 'node:child_process'",
      "spawn('ls', [], { shell: true })",
      "spawn('ls', [], { shell: '/bin/sh' })",
    ])
      expect(wrongWith('dtma/src/a.ts', line)).toEqual(['dtma/src/a.ts:1 no-shell'])
    for (const line of [
      "import { type ChildProcess, execFile, spawn } from 'node:child_process'",
      "spawn('ls', [], { shell: false })",
    ])
      expect(wrongWith('scripts/a.mjs', line)).toEqual([])
  })

  it('reads the environment in one place', () => {
    expect(wrongWith('backend/src/a.ts', '', "const home = process.env['HOME']")).toEqual([
      'backend/src/a.ts:2 environment',
    ])
    expect(wrongWith('backend/src/a.ts', "import { env } from 'node:process'")).toEqual([
      'backend/src/a.ts:1 environment',
    ])
    expect(wrongWith('backend/src/main.ts', 'parseConfig(process.env)')).toEqual([])
    expect(wrongWith('backend/src/a.test.ts', 'parseConfig(process.env)')).toEqual([])
  })
})

describe('every file', () => {
  it('is named for a noun and its role', () => {
    for (const path of [
      'cli/src/findToolbox.ts',
      'cli/src/find_toolbox.ts',
      'web/src/Pages/agent.tsx',
      'cli/src/-a.ts',
    ])
      expect(wrongWith(path, '')).toEqual([`${path}:1 file-name`])
    for (const path of ['dtma/src/tool.reconciler.docker.test.ts', 'scripts/check-architecture.ts', 'vitest.config.ts'])
      expect(wrongWith(path, '')).toEqual([])
  })

  it('is short', () => {
    expect(wrongWith('cli/src/a.ts', ...Array<string>(400).fill('x'), '')).toEqual([])
    expect(wrongWith('cli/src/a.ts', ...Array<string>(401).fill('x'), '')).toEqual(['cli/src/a.ts:401 file-length'])
  })

  it('leaves the choice of a registry to the machine', () => {
    const host = ['registry', 'npmjs', 'org'].join('.')
    expect(wrongWith('docs/a.md', '# A', `see https://${host}/hono`)).toEqual(['docs/a.md:2 registry-host'])
    expect(wrongWith('scripts/a.mjs', "install('docker.io')")).toEqual([])
  })

  it('of tests is run whole', () => {
    for (const [of, how] of [
      ['it', 'skip'],
      ['describe', 'only'],
      ['test.concurrent', 'skip'],
      ['it', 'runIf(true)'],
      ['it', 'todo'],
    ])
      expect(wrongWith('cli/src/a.test.ts', `${of}.${how}('x', () => {})`)).toEqual(['cli/src/a.test.ts:1 whole-tests'])
    expect(wrongWith('cli/src/a.test.ts', "it('only skips what is done', () => {})", 'spawn.only()')).toEqual([])
  })
})

describe('documents', () => {
  it('name files that are there', () => {
    const document = (path: string, ...lines: string[]) => ({ path, text: lines.join('\n') })
    const wrong = violationsIn([
      document(
        'README.md',
        '[map](docs/map.md#here), `config.ts`, [recipes](docs/recipes)',
        '[elsewhere](https://a.org/x)',
      ),
      document('docs/recipes/a.md', '[the map](../map.md)', '[no map](map.md)'),
      document(
        'docs/map.md',
        '`backend/src/config.ts`',
        '`old/config.ts`',
        '![made by a command](images/overview.png)',
      ),
      document('backend/src/config.ts'),
    ])
    expect(wrong.map(({ path, line, rule }) => `${path}:${line} ${rule}`)).toEqual([
      'docs/recipes/a.md:2 true-documents',
      'docs/map.md:2 true-documents',
    ])
  })

  it('name every decision on the map', () => {
    const decisions = ['docs/decisions/0001-one.md', 'docs/decisions/0002-another.md'].map((path) => ({
      path,
      text: '',
    }))
    const map = { path: 'ARCHITECTURE.md', text: '[0001](docs/decisions/0001-one.md)' }
    expect(violationsIn([map, ...decisions])).toEqual([
      {
        path: 'ARCHITECTURE.md',
        line: 1,
        rule: 'whole-map',
        fix: 'name docs/decisions/0002-another.md among the decisions',
      },
    ])
  })
})
