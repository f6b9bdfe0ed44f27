import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findingsIn, hostOf, type LockFile } from './lock-file.ts'

const HOST = 'packages.example'
const integrity = `sha512-${'a'.repeat(86)}==`
const archive = (name: string, host = HOST) => `https://${host}/${name}/-/${name}-1.0.0.tgz`
const good = {
  '': { dependencies: { left: '^1.0.0', own: '*', renamed: 'npm:right@1.0.0' } },
  own: { version: '0.1.0', dependencies: { right: '1.0.0 || >=2 <3' } },
  'node_modules/own': { resolved: 'own', link: true },
  'node_modules/left': { version: '1.0.0', resolved: archive('left'), integrity },
  'node_modules/left/node_modules/inner': { version: '1.0.0', inBundle: true },
  'node_modules/right': { version: '1.0.0', resolved: archive('right'), integrity },
}
const lock = (more: LockFile['packages'] = {}): LockFile => ({ lockfileVersion: 3, packages: { ...good, ...more } })
const rules = (file: LockFile) => findingsIn(file).map(({ path, rule }) => `${path}: ${rule}`)

test('a lock file of published packages from one host, and of workspaces, is good', () =>
  expect(findingsIn(lock())).toEqual([]))

const planted = { version: '1.0.0', resolved: archive('planted'), integrity }
test.each<[string, object, string]>([
  ['whose host changed', { ...planted, resolved: archive('planted', 'mirror.example') }, 'host'],
  [
    'from a host that only begins like the right one',
    { ...planted, resolved: archive('planted', `${HOST}.evil`) },
    'host',
  ],
  ['from another port of it', { ...planted, resolved: archive('planted', `${HOST}:8443`) }, 'host'],
  ['with a password in its address', { ...planted, resolved: archive('planted', `me:secret@${HOST}`) }, 'host'],
  ['by plain http', { ...planted, resolved: archive('planted').replace('https', 'http') }, 'source'],
  ['from a git repository', { ...planted, resolved: 'git+ssh://git@git.example/a/b.git#0123' }, 'source'],
  ['from a git repository by https', { ...planted, resolved: 'git+https://git.example/a/b.git#0123' }, 'source'],
  ['from a file', { ...planted, resolved: 'file:../planted.tgz' }, 'source'],
  ['from nowhere', { integrity }, 'source'],
  ['of which only a repository is named', { version: 'git+https://git.example/a/b.git#0123', integrity }, 'source'],
  ['from the registry, where the others name a host', { version: '1.0.0', integrity }, 'host'],
  ['from a folder that is no workspace', { resolved: '../elsewhere', link: true }, 'source'],
  ['without a digest', { version: '1.0.0', resolved: archive('planted') }, 'integrity'],
  ['with a weak digest', { ...planted, integrity: `sha1-${'a'.repeat(27)}=` }, 'integrity'],
])('U06 a dependency %s is refused', (_, entry, rule) =>
  expect(rules(lock({ 'node_modules/planted': entry }))).toEqual([`node_modules/planted: ${rule}`]),
)

test.each([
  'git+https://git.example/a/b.git',
  'git@git.example:a/b.git',
  'github:a/b',
  'a/b',
  'a/b#main',
  'https://files.example/b.tgz',
  'file:../b',
  '../b',
])('U06 a dependency that is wanted from %s is refused, whatever it was resolved to', (wish) =>
  expect(rules(lock({ own: { dependencies: { planted: wish } }, 'node_modules/planted': planted }))).toEqual([
    'own: declared',
  ]),
)

test('U06 where no package names a host, one that does is refused', () => {
  const bare = { version: '1.0.0', integrity }
  const file = (more: LockFile['packages']) => ({
    lockfileVersion: 3,
    packages: { '': {}, 'node_modules/a': bare, 'node_modules/b': bare, ...more },
  })
  expect(rules(file({}))).toEqual([])
  expect(rules(file({ 'node_modules/planted': planted }))).toEqual(['node_modules/planted: host'])
  expect(rules(file({ 'node_modules/planted': { version: '1.0.0' } }))).toEqual(['node_modules/planted: integrity'])
})

test('a lock file of another version is refused: what it says cannot be told', () =>
  expect(rules({ lockfileVersion: 1, packages: {} })).toEqual([': version']))

test('U06 the lock files of this repository are good, and of one host', () => {
  const files = ['../../package-lock.json', '../../dtma/package-lock.json'].map(
    (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as LockFile,
  )
  const host = hostOf(files[0]!)
  for (const file of files) expect(findingsIn(file, host)).toEqual([])
})
