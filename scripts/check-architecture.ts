// Checks the import graph and the layout of the repository: one line per violation, `file:line rule — fix`.
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { violationsIn } from './architecture/rules.ts'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

// What git tracks and what it would; what was removed and not committed yet is not there to be read.
const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
const paths = [...new Set(listed.split('\0'))].filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
const sources = paths.map((path) => ({ path, text: readFileSync(path, 'utf8') }))

const violations = violationsIn(sources)
for (const { path, line, rule, fix } of violations) console.log(`${path}:${line} ${rule} — ${fix}`)
if (violations.length > 0) process.exitCode = 1
else console.log(`architecture: ${sources.length} files keep the rules`)
