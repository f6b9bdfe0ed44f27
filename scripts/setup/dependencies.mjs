import { existsSync } from 'node:fs'
import { run } from './run.mjs'
import { hashOf, isStamped, stamp } from './stamp.mjs'
import { upToDate } from './step.mjs'

const STAMP = 'node_modules/.agentopia-installed'

/** The pinned Node that everything else runs on; it comes with the dependencies. */
export const NODE = 'node_modules/.bin/node'

/** `npm ci`, unless the lock file is the one that is installed. */
export async function installDependencies() {
  const hash = hashOf('package-lock.json')
  if (isStamped(STAMP, hash) && existsSync(NODE)) return upToDate()
  await run('npm', ['ci', '--no-audit', '--no-fund'], {
    fix: 'Check that this machine reaches the npm registry, then start again.',
  })
  stamp(STAMP, hash)
}
