// Prints the documents that follow from the code. With --check: writes nothing and fails when one on disk is stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import backend from '../backend/package.json' with { type: 'json' }
import dtma from '../dtma/package.json' with { type: 'json' }
import { documents } from './docs/documents.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
const checkOnly = process.argv.includes('--check')

const stale = [...documents({ controlPlane: backend.version, dtma: dtma.version }, root)].filter(
  ([path, text]) => contentOf(path) !== text,
)
if (checkOnly) {
  for (const [path] of stale) console.log(`${path} is not what the code says — run npm run print-docs and commit it`)
  if (stale.length > 0) process.exitCode = 1
} else {
  mkdirSync('docs', { recursive: true })
  for (const [path, text] of stale) writeFileSync(path, text)
  console.log(
    stale.length === 0 ? 'docs: nothing has changed' : `docs: printed ${stale.map(([path]) => path).join(', ')}`,
  )
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
