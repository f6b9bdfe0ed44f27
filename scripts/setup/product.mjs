import { existsSync } from 'node:fs'
import { NODE } from './dependencies.mjs'
import { run } from './run.mjs'
import { hashOf, isStamped, stamp } from './stamp.mjs'
import { upToDate } from './step.mjs'

const STAMP = 'dist/.built'

/** Bundles the control plane and the CLI and builds the page, unless nothing of them has changed. */
export async function buildProduct() {
  const hash = hashOf(
    'package-lock.json',
    'scripts/build.ts',
    'api',
    'backend',
    'cli',
    'web',
    'dtma/src',
    'dtma/package.json',
  )
  if (isStamped(STAMP, hash) && existsSync('dist/control-plane.mjs')) return upToDate()
  await run(NODE, ['scripts/build.ts'])
  stamp(STAMP, hash)
}
