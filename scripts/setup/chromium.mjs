import { existsSync } from 'node:fs'
import { aptInstall, canInstall } from './apt.mjs'
import { StepError, upToDate } from './step.mjs'

/** Debian's Chromium, for the tests of the page. */
export async function ensureChromium() {
  if (existsSync('/usr/bin/chromium')) return upToDate('present')
  if (!canInstall()) throw new StepError('The tests of the page need Chromium', 'sudo apt-get install -y chromium')
  await aptInstall('chromium')
}
