import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { aptInstall, canInstall } from './apt.mjs'
import { attempt, run } from './run.mjs'
import { upToDate } from './step.mjs'

/** Docker's own answer, or `undefined` when none comes. */
async function dockerVersion() {
  const { code, output } = await attempt('docker', ['version', '--format', '{{.Server.Version}}'], {
    timeoutMs: 10_000,
  })
  return code === 0 ? output.trim() : undefined
}

/**
 * Makes sure that a Docker Engine answers: installs and starts it as root on Debian and Ubuntu.
 * @returns `{ missing }` with the command to run, when we may not do it ourselves.
 */
export async function ensureDocker(dataDir) {
  const running = await dockerVersion()
  if (running) return upToDate(`Docker ${running}`)
  if (!canInstall())
    return {
      skipped: true,
      detail: 'not running',
      missing: 'sudo apt-get install -y docker.io && sudo systemctl start docker',
    }
  if (!(await installed('dockerd')) || !(await installed('docker'))) await aptInstall(...(await packages()))
  await startDocker(dataDir)
}

const installed = async (program) => (await attempt('sh', ['-c', `command -v ${program}`])).code === 0

/** Newer releases keep the client apart; with AppArmor in the kernel, containers need its parser. */
async function packages() {
  const { code, output } = await attempt('apt-cache', ['policy', 'docker-cli'])
  const separateClient = code === 0 && output.includes('Candidate:') && !output.includes('Candidate: (none)')
  const appArmor =
    existsSync('/sys/module/apparmor/parameters/enabled') &&
    readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y')
  return [
    'docker.io',
    'ca-certificates',
    'iptables',
    ...(separateClient ? ['docker-cli'] : []),
    ...(appArmor ? ['apparmor'] : []),
  ]
}

async function startDocker(dataDir) {
  if (existsSync('/run/systemd/system'))
    await run('systemctl', ['start', 'docker'], { fix: 'Read `journalctl -u docker`.' })
  else startDaemon(dataDir)
  for (let attempts = 0; attempts < 120; attempts += 1) {
    if (await dockerVersion()) return
    await sleep(500)
  }
  await run('docker', ['info'], { fix: `Read ${join(dataDir, 'dockerd.log')}.` })
}

/** Without an init system: a daemon of its own that outlives us. */
function startDaemon(dataDir) {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const log = openSync(join(dataDir, 'dockerd.log'), 'a')
  spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] }).unref()
}
