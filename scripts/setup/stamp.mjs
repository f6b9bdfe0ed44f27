import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const IGNORED = new Set(['node_modules', 'dist', '.git'])

/** SHA-256 over names and contents of files and folders, in order; hex, 24 characters. */
export function hashOf(...paths) {
  const hash = createHash('sha256')
  for (const path of paths) addTo(hash, path)
  return hash.digest('hex').slice(0, 24)
}

function addTo(hash, path) {
  if (!existsSync(path)) return
  const stat = lstatSync(path)
  hash.update(path)
  if (stat.isFile()) hash.update(readFileSync(path))
  if (stat.isDirectory())
    for (const name of readdirSync(path).sort()) if (!IGNORED.has(name)) addTo(hash, join(path, name))
}

/** Has this stamp been written for this hash? */
export const isStamped = (file, hash) => existsSync(file) && readFileSync(file, 'utf8') === hash

export function stamp(file, hash) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, hash)
}
