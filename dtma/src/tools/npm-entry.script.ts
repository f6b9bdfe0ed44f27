/**
 * Runs while the image of an npm package is built, after the install: finds the package's command and links it to a fixed
 * path. Plain JavaScript as text, because it goes into the build context. Its only input is the file `wanted.json`.
 */
export const NPM_ENTRY_SCRIPT = `import { openSync, readFileSync, readSync, realpathSync, symlinkSync } from 'node:fs'
import { join, sep } from 'node:path'

const fail = (message) => {
  console.error('entry: ' + message)
  process.exit(1)
}

const root = process.cwd()
const wanted = JSON.parse(readFileSync(join(root, 'wanted.json'), 'utf8'))
const directory = join(root, 'node_modules', ...wanted.name.split('/'))
const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
const ownName = manifest.name.split('/').pop()
const commands = typeof manifest.bin === 'string' ? { [ownName]: manifest.bin } : (manifest.bin ?? {})
const names = Object.keys(commands)

if (names.length === 0) fail('the package has no command (no "bin" in its package.json)')
if (wanted.bin !== undefined && !Object.hasOwn(commands, wanted.bin))
  fail('the package has no command named ' + wanted.bin + '; it has: ' + names.join(', '))
const only = new Set(Object.values(commands)).size === 1 ? names[0] : undefined
const name = wanted.bin ?? only ?? names.find((candidate) => candidate === ownName)
if (name === undefined) fail('the package has several commands, name one of: ' + names.join(', '))

let file
try {
  file = realpathSync(join(directory, commands[name]))
} catch {
  fail('the command ' + name + ' points to a file that the package does not contain')
}
if (!file.startsWith(realpathSync(join(root, 'node_modules')) + sep)) fail('the command ' + name + ' points outside of the package')

const head = Buffer.alloc(128)
readSync(openSync(file, 'r'), head, 0, 128, 0)
const isNode = /^#!.*\\bnode\\b/.test(head.toString('utf8').split('\\n')[0]) || /\\.[cm]?js$/.test(file)
if (!isNode) fail('the command ' + name + ' is no Node.js program')
symlinkSync(file, join(root, 'entry'))
console.log('entry: ' + name)
`
