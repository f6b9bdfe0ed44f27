import { existsSync } from 'node:fs'
import { run } from './run.mjs'

/** Can we install Debian packages ourselves? */
export const canInstall = () => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')

const env = { DEBIAN_FRONTEND: 'noninteractive' }
/** Another apt may be at work (first boot): wait for its lock. */
const WAIT = ['-o', 'DPkg::Lock::Timeout=300']

let listsFresh = false

/** Installs packages, without what they only recommend. */
export async function aptInstall(...packages) {
  const fix = 'Check that this machine reaches its Debian mirror, then start again.'
  if (!listsFresh) await run('apt-get', [...WAIT, 'update', '-qq'], { env, fix })
  listsFresh = true
  await run('apt-get', [...WAIT, 'install', '-y', '-qq', '--no-install-recommends', ...packages], { env, fix })
}
