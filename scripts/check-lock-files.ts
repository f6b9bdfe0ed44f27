// Checks that every package of every lock file is published, fixed by its digest, and from one host: one line per finding.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findingsIn, hostOf, type LockFile } from './lock-file/lock-file.ts'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const LOCK_FILES = ['package-lock.json', 'dtma/package-lock.json']
const files = LOCK_FILES.map((name) => ({ name, lock: JSON.parse(readFileSync(name, 'utf8')) as LockFile }))
const host = hostOf(files[0]!.lock)
const findings = files.flatMap(({ name, lock }) => findingsIn(lock, host).map((finding) => ({ name, ...finding })))
for (const { name, path, rule, message } of findings) console.log(`${name}: ${path} ${rule} — ${message}`)
if (findings.length > 0) process.exitCode = 1
else console.log(`lock files: ${LOCK_FILES.length} hold published packages of one host alone`)
