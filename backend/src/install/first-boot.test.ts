import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { userData } from '../providers/digitalocean/user-data.ts'
import { installScript } from './install-script.ts'
import { COMMANDS } from './ubuntu.testing.ts'

// The scripts as a machine gets them, run by a shell. Its own programs are what every Ubuntu has; what they reach beyond the machine, or
// would change of it, is played.

const TOKEN = 'enrol_canary-of-the-first-boot'
/** Not linked from the machine that tests: each is played, or missing. */
const PLAYED = [
  'apt-get',
  'apk',
  'curl',
  'dnf',
  'docker',
  'git',
  'journalctl',
  'nft',
  'service',
  'sleep',
  'systemctl',
  'ufw',
]

let machine: string
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'agentopia-boot-'))
  mkdirSync(join(machine, 'bin'))
  for (const name of ['sh', ...COMMANDS].filter((name) => !PLAYED.includes(name))) {
    const found = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map((folder) => join(folder, name)).find(existsSync)
    if (found) symlinkSync(found, join(machine, 'bin', name))
  }
  play('sleep', ':')
})
afterEach(() => rmSync(machine, { recursive: true }))

function play(name: string, body: string): void {
  const path = join(machine, 'bin', name)
  writeFileSync(path, `#!/bin/sh\nM=${machine}\nprintf '%s\\n' "${name} $*" >>$M/calls\n${body}\n`)
  chmodSync(path, 0o755)
}

const read = (name: string): string => readFileSync(join(machine, name), { encoding: 'utf8', flag: 'a+' })

/** Runs it as the machine, and what happens `meanwhile` to the machine. */
async function run(script: string, meanwhile?: () => void) {
  const shell = spawn(join(machine, 'bin/sh'), ['-c', script], { env: { PATH: join(machine, 'bin') } })
  const said = Promise.all([text(shell.stdout), text(shell.stderr)])
  if (meanwhile) setTimeout(meanwhile, 300)
  const [status] = (await once(shell, 'close')) as [number]
  return { status, said: (await said).join(''), calls: read('calls').trim().split('\n') }
}

/** This in the place of the install script's own `main`, once it has got as far as knowing its token. */
const installing = (command: string): string =>
  installScript({ variant: 'docker', publicUrl: 'https://agentopia.example', imageName: 'agentopia-dtma:latest' })
    .replace(/\nmain "\$@"\n$/, '\n')
    .replace('LOG=/var/log/agentopia-install.log', `LOG=${machine}/log`)
    .replace('/sys/module/apparmor', `${machine}/apparmor`)
    .concat(
      `WORK=${machine} TOOLBOX=toolbox_a\ntouch "$LOG"\n`,
      `printf 'authorization: Bearer ${TOKEN}' >"$WORK/authorization"\n${command}\n`,
    )

/** The script of the first boot, which keeps what it fetched on this machine. */
const booting = (): string =>
  userData({
    variant: 'docker',
    publicUrl: 'https://agentopia.example',
    toolboxId: 'toolbox_a',
    enrolmentToken: TOKEN,
  }).replace('SCRIPT=/root/', `SCRIPT=${machine}/`)

/** As apt: who says how long waits for the lock of dpkg, anybody else fails at once. `sleep` is played, so it is found elsewhere. */
const WAITS_FOR_LOCK = `
case "$*" in
*DPkg::Lock::Timeout=600*) while [ -e $M/lock ]; do /bin/sleep 0.05; done ;;
*) [ ! -e $M/lock ] || { echo "E: Could not get lock /var/lib/dpkg/lock-frontend"; exit 100; } ;;
esac`

const lockOfDpkg = () => {
  writeFileSync(join(machine, 'lock'), '')
  return () => rmSync(join(machine, 'lock'))
}

describe('the script of a droplet’s first boot', () => {
  test('waits for the lock of dpkg, installs curl, asks again for a script that does not come, and hands the token to it', async () => {
    play(
      'apt-get',
      `${WAITS_FOR_LOCK}
      case "$*" in *install*curl*) cp $M/curl $M/bin/curl ;; esac`,
    )
    writeFileSync(
      join(machine, 'curl'),
      `#!/bin/sh
      echo "curl $*" >>${machine}/calls
      [ "$(grep -c '^curl' ${machine}/calls)" -ge 3 ] || exit 22
      while [ "$1" != -o ]; do shift; done
      printf 'cat >${machine}/given; echo "$1" >>${machine}/given' >"$2"`,
      { mode: 0o755 },
    )
    const { status, calls } = await run(booting(), lockOfDpkg())
    expect(status).toBe(0)
    expect(read('given')).toBe(`${TOKEN}\ntoolbox_a\n`)
    expect(calls.filter((call) => call.startsWith('curl'))).toHaveLength(3)
    expect(calls.filter((call) => call === 'sleep 10')).toHaveLength(2)
    // Neither other processes nor what is left on the disk show the token.
    expect(calls.join('\n')).not.toContain(TOKEN)
    expect(existsSync(join(machine, 'install-agentopia.sh'))).toBe(false)
  })

  test('gives up in the end, and says where the log is', async () => {
    play('curl', 'exit 22')
    const { status, said, calls } = await run(booting())
    expect([status, said]).toEqual([1, expect.stringContaining('see /var/log/agentopia-install.log')])
    expect(calls.filter((call) => call.startsWith('curl'))).toHaveLength(60)
  })
})

describe('the installation of Docker', () => {
  /** A Docker that answers once it is installed; `apt-get` does what `more` says besides. */
  function playApt(more = ''): void {
    writeFileSync(join(machine, 'docker'), '#!/bin/sh\necho 28.2.2\n', { mode: 0o755 })
    play('apt-get', `${WAITS_FOR_LOCK}\n${more}\ncase "$*" in *install*docker.io*) cp $M/docker $M/bin/docker ;; esac`)
    play('systemctl', ':')
    play('curl', 'for one in "$@"; do case $one in @*report) cat $M/report >>$M/told; echo >>$M/told ;; esac; done')
  }
  const told = () =>
    read('told')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { stage: string; state: string; log: string; toolboxId: string })
  const installed = (calls: readonly string[]) => calls.find((call) => / install /.test(call))

  test('waits for a lock of dpkg that is held, and goes on when it is released', async () => {
    playApt()
    const { status, calls } = await run(installing('ensure_docker'), lockOfDpkg())
    expect(status).toBe(0)
    expect(calls.filter((call) => call.startsWith('apt-get'))).toHaveLength(2)
    expect(calls).toContain('systemctl enable --now docker')
    expect(told().map(({ stage, state }) => [stage, state])).toEqual([
      ['docker', 'running'],
      ['docker', 'done'],
    ])
  })

  test.each([
    ['a kernel with AppArmor', 'Y', true],
    ['a kernel whose AppArmor is off', 'N', false],
    ['a kernel without AppArmor', undefined, false],
  ])('on %s', async (_, enabled, isInstalled) => {
    playApt()
    if (enabled !== undefined) {
      mkdirSync(join(machine, 'apparmor/parameters'), { recursive: true })
      writeFileSync(join(machine, 'apparmor/parameters/enabled'), `${enabled}\n`)
    }
    const { status, calls } = await run(installing('ensure_docker'))
    expect(status).toBe(0)
    expect(installed(calls)?.endsWith(`docker.io ca-certificates${isInstalled ? ' apparmor' : ''}`)).toBe(true)
  })

  test('that fails is told with the end of its log, whatever that holds, and no process shows the token', async () => {
    const lines = 'n=0; while [ "$n" -lt 200 ]; do n=$((n + 1)); echo "Get:$n a package"; done'
    playApt(`case "$*" in *install*) ${lines}
      printf 'E: "docker.io" has no \\\\ candidate\\t\\033[31m\\303\\251\\n'; exit 100 ;; esac`)
    const { status, said, calls } = await run(installing('ensure_docker'))
    expect(status).toBe(1)
    expect(said).toContain('  | E: "docker.io" has no \\ candidate')
    const last = told().at(-1)!
    expect(last).toMatchObject({ toolboxId: 'toolbox_a', stage: 'docker', state: 'failed' })
    expect(last.log).toContain('E: "docker.io" has no \\ candidate')
    expect(last.log).toContain('FAILED: Docker could not be installed')
    expect(last.log).toContain('Get:200 a package')
    expect(last.log).not.toContain('Get:150 a package') // the end, not all of it
    expect(last.log.length).toBeLessThanOrEqual(4_000)
    expect(calls.join('\n')).not.toContain(TOKEN)
  })

  test('that fails is no secret to the terminal when the control plane cannot be told', async () => {
    playApt('case "$*" in *install*) exit 100 ;; esac')
    play('curl', 'exit 7')
    const { status, said } = await run(installing('ensure_docker'))
    expect([status, said]).toEqual([1, expect.stringContaining('FAILED: Docker could not be installed')])
    expect(said).toContain('It is safe to run this again.')
  })

  test('on a machine without any way to install it is refused with what to do', async () => {
    play('curl', ':')
    const { status, said } = await run(installing('ensure_docker'))
    expect([status, said]).toEqual([1, expect.stringContaining('install Docker, then run this again')])
  })
})
