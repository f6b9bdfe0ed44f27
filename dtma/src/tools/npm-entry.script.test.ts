import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { NPM_ENTRY_SCRIPT } from './npm-entry.script.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

/** Installs a package of these files by hand, and runs the script on it. */
function resolve(manifest: { name: string; bin?: unknown }, files: Record<string, string>, bin?: string) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'dtma-entry-')))
  directories.push(root)
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const home = join('node_modules', manifest.name)
  write(join(home, 'package.json'), JSON.stringify(manifest))
  for (const [path, text] of Object.entries(files)) write(join(home, path), text)
  write('wanted.json', JSON.stringify({ name: manifest.name, bin }))
  write('entry.mjs', NPM_ENTRY_SCRIPT)
  const { status, stderr } = spawnSync(process.execPath, ['entry.mjs'], { cwd: root, encoding: 'utf8' })
  const entry = () => realpathSync(join(root, 'entry')).slice(root.length + 1)
  return status === 0 ? { entry: entry() } : { error: stderr.trim() }
}

const SCRIPT = '#!/usr/bin/env node\nconsole.log(1)'

test.each([
  ['a single command as text', { name: '@a/server', bin: 'dist/x.js' }, undefined, 'node_modules/@a/server/dist/x.js'],
  [
    'a single named command',
    { name: 'server', bin: { other: './dist/x.js' } },
    undefined,
    'node_modules/server/dist/x.js',
  ],
  [
    'several names of one file',
    { name: 's', bin: { a: 'dist/x.js', b: 'dist/x.js' } },
    undefined,
    'node_modules/s/dist/x.js',
  ],
  [
    'the one named like the package',
    { name: '@a/s', bin: { s: 'dist/x.js', t: 'y' } },
    undefined,
    'node_modules/@a/s/dist/x.js',
  ],
  ['the one that was asked for', { name: 's', bin: { s: 'dist/x.js', t: 'y' } }, 't', 'node_modules/s/y'],
])('finds %s', (_, manifest, bin, entry) => {
  expect(resolve(manifest, { 'dist/x.js': SCRIPT, y: SCRIPT }, bin)).toEqual({ entry })
})

test.each([
  ['there is none', { name: 's' }, undefined, 'entry: the package has no command'],
  ['it is not there', { name: 's', bin: { a: 'a.js' } }, 'b', 'no command named b; it has: a'],
  ['there are several', { name: 's', bin: { a: 'a.js', b: 'b.js' } }, undefined, 'name one of: a, b'],
  ['its file is missing', { name: 's', bin: { a: 'c.js' } }, undefined, 'does not contain'],
  ['it leads out of the package', { name: 's', bin: { a: '../../../../../bin/sh' } }, undefined, 'outside'],
  ['it is a shell script', { name: 's', bin: { a: 'run' } }, undefined, 'no Node.js program'],
])('says so when %s', (_, manifest, bin, message) => {
  const { error } = resolve(manifest, { 'a.js': SCRIPT, 'b.js': SCRIPT, run: '#!/bin/sh\necho' }, bin)
  expect(error).toContain(message)
})
