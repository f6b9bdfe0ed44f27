import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InstallVariant } from '@agentopia/api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { userData } from '../providers/digitalocean/user-data.ts'
import { installScript } from './install-script.ts'
import { COMMANDS, DIRECTIVES, PACKAGES, UBUNTU } from './ubuntu.testing.ts'

const scriptOf = (variant: InstallVariant) =>
  installScript({
    variant,
    publicUrl: 'https://agentopia.example',
    imageId: `sha256:${'a'.repeat(64)}`,
    imageName: 'agentopia-dtma:latest',
    bundle: 'b'.repeat(64),
    source: { url: 'https://git.example/agentopia.git', commit: 'c'.repeat(40) },
  })
const bootOf = (variant: InstallVariant) =>
  userData({ variant, publicUrl: 'https://agentopia.example', toolboxId: 'toolbox_a', enrolmentToken: 'enrol_a' })
const SCRIPTS = InstallVariant.options.flatMap((variant) => [
  [`install script by ${variant}`, scriptOf(variant)] as const,
  [`user-data by ${variant}`, bootOf(variant)] as const,
])

const KEYWORDS = new Set([
  'if',
  'then',
  'elif',
  'else',
  'fi',
  'for',
  'while',
  'until',
  'do',
  'done',
  'case',
  'esac',
  'in',
  '!',
  '{',
  '}',
])
const BUILTINS = new Set([
  ...[
    '[',
    ':',
    'break',
    'cd',
    'command',
    'continue',
    'exec',
    'exit',
    'export',
    'false',
    'printf',
    'echo',
    'read',
    'return',
    'set',
  ],
  ...['shift', 'trap', 'true', 'umask', 'wait', 'sh', '.'],
])
/** Words after which another command stands. */
const CARRIERS =
  /^(?:quietly|quietly_from_input|git_here|exec|env|timeout \d+|[A-Z_]+=\S*|!|if|elif|while|until|then|else|do|\{|\()\s+/

/** Every word of a script at which a shell would look for a program. */
function commandsIn(script: string): Set<string> {
  const functions = new Set([...script.matchAll(/^(\w+)\(\)/gm)].map(([, name]) => name!))
  const code = script
    .replaceAll(/<<(\w+)\n[\s\S]*?\n\1\n/g, '\n')
    .replaceAll(/\\\n/g, ' ')
    .replaceAll(/'[^']*'/g, "''")
    .replaceAll(/(^|\s)#.*$/gm, '$1')
    .replaceAll(/\$\(\([^)]*\)\)/g, '0')
    .replaceAll(/\$\(/g, '\n')
    .replaceAll(/"[^"\n]*"/g, '""')
  const words = code.split(/\n|;;|;|&&|\|\||\||[()]/).map((piece) => {
    let rest = piece.trim()
    while (CARRIERS.test(`${rest} `)) rest = `${rest} `.replace(CARRIERS, '').trim()
    return rest.split(/\s/, 1)[0]!
  })
  const named = words.filter((word) => /^[a-z][a-z0-9._-]*$/.test(word))
  return new Set(named.filter((word) => !KEYWORDS.has(word) && !BUILTINS.has(word) && !functions.has(word)))
}

describe.each(SCRIPTS)('%s', (_, script) => {
  test('is read by a POSIX shell', () => {
    expect(spawnSync('sh', ['-n'], { input: script }).status).toBe(0)
  })

  test('names no program that the servers of Ubuntu lack', () => {
    const used = commandsIn(script)
    expect(used.size).toBeGreaterThan(2)
    // A case of the script's own words may look like a program: then it stands here, and is a word.
    expect([...used].filter((word) => !COMMANDS.has(word))).toEqual([])
  })

  test('names no package that is called otherwise there', () => {
    const lines = script.match(
      /(?:apt_install|install -y -qq --no-install-recommends|set --(?: "\$@")?) [a-z][a-z. -]*/g,
    )!
    const named = lines.flatMap((line) => line.split(' ').filter((word) => /^[a-z][a-z.-]+$/.test(word)))
    const words = new Set(['install', 'set'])
    expect(named.filter((name) => !words.has(name) && !PACKAGES.has(name))).toEqual([])
    expect(named.length).toBeGreaterThan(0)
  })

  test('asks dpkg to wait for whoever updates the machine at its first boot, and nobody a question', () => {
    for (const line of script.match(/apt-get .*(?:update|install)/g)!) expect(line).toContain('DPkg::Lock::Timeout=600')
    const asking = script.split('\n').filter((line) => /apt-get .*install /.test(line))
    for (const line of asking) expect(line).toMatch(/DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get/)
    // `DPkg::Lock::Timeout` is of apt 1.9.11.
    expect(Math.min(...Object.values(UBUNTU).map(({ apt }) => apt))).toBeGreaterThan(1.9)
  })
})

test('the reader of commands finds one that nobody has', () => {
  expect(commandsIn('if ! quietly env A=b frobnicate --now; then x=$(wibble | sed -n p); fi')).toEqual(
    new Set(['frobnicate', 'wibble', 'sed']),
  )
})

test('the units say nothing that the systemd of any of these releases does not know', () => {
  const oldest = Math.min(...Object.values(UBUNTU).map(({ systemd }) => systemd))
  const text = scriptOf('systemd')
  const units = [...text.matchAll(/<<(UNIT|TEXT)\n([\s\S]*?)\n\1\n/g)].map(([, , unit]) => unit!)
  expect(units).toHaveLength(2)
  const directives = units.flatMap((unit) => [...unit.matchAll(/^([A-Z][A-Za-z]+)=/gm)].map(([, name]) => name!))
  expect(directives.length).toBeGreaterThan(40)
  for (const name of directives) {
    expect(DIRECTIVES, `systemd's ${name}`).toHaveProperty(name)
    expect(DIRECTIVES[name]).toBeLessThanOrEqual(oldest)
  }
})

test('the Node that a service runs on asks for no later C library than these releases have', () => {
  const names = new Set(readFileSync(process.execPath, 'latin1').match(/\bGLIBC(?:XX)?_\d+(?:\.\d+)+(?=\0)/g))
  const newest = (kind: string) =>
    [...names]
      .filter((name) => name.startsWith(`${kind}_`))
      .map((name) => name.slice(kind.length + 1))
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .at(-1)!
  for (const { glibc, glibcxx } of Object.values(UBUNTU)) {
    expect(newest('GLIBC').localeCompare(String(glibc), 'en', { numeric: true })).toBeLessThanOrEqual(0)
    expect(newest('GLIBCXX').localeCompare(glibcxx, 'en', { numeric: true })).toBeLessThanOrEqual(0)
  }
})

// The parts of the script that behave otherwise on an Ubuntu, run with programs of our own in the place of the machine's.
describe('on a machine that is played', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'agentopia-ubuntu-'))
    program('sleep', ':')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  function program(name: string, body: string): void {
    const path = join(directory, name)
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >>"${directory}/calls"\n${body}\n`)
    chmodSync(path, 0o755)
  }

  /** Runs this in the place of the script's own `main`. */
  function run(command: string, path = `${directory}:/usr/bin:/bin`) {
    const script = scriptOf('docker')
      .replace(/\nmain "\$@"\n$/, `\nWORK=${directory}\nTOOLBOX=toolbox_a\n${command}\n`)
      .replace('LOG=/var/log/agentopia-install.log', `LOG=${directory}/log`)
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { env: { PATH: path }, encoding: 'utf8' })
    const read = (name: string) => readFileSync(join(directory, name), { encoding: 'utf8', flag: 'a+' })
    return { status, said: `${stdout}${stderr}`, calls: read('calls'), log: read('log') }
  }

  test('a dpkg that is busy with updates is waited for, and needrestart does nothing meanwhile', () => {
    program(
      'apt-get',
      `case "$*" in
      *update) n=$(cat ${directory}/n 2>/dev/null || echo 0); echo $((n + 1)) >${directory}/n; [ "$n" -ge 3 ] || exit 100 ;;
      *install*) echo "$DEBIAN_FRONTEND $NEEDRESTART_SUSPEND" >${directory}/env ;;
      esac`,
    )
    const { status, calls } = run('apt_install docker.io ca-certificates')
    expect(status).toBe(0)
    expect(calls.match(/apt-get .* update/g)).toHaveLength(4)
    expect(calls).toMatch(/apt-get .* install -y --no-install-recommends docker\.io ca-certificates/)
    expect(readFileSync(join(directory, 'env'), 'utf8')).toBe('noninteractive 1\n')
  })

  test('a Docker that is there, docker-ce or docker.io, is taken as it is: nothing is installed', () => {
    program('docker', 'echo 28.2.2')
    program('apt-get', 'exit 1')
    const { status, calls } = run('ensure_docker')
    expect(status).toBe(0)
    expect(calls).not.toContain('apt-get')
  })

  test('a Docker of snap, which sees no directory of ours, is refused with the way out before anything is made', () => {
    program('snap', 'echo 28.2.2')
    spawnSync('ln', ['-s', join(directory, 'snap'), join(directory, 'docker')])
    const { status, said, calls } = run('ensure_docker')
    expect(status).toBe(1)
    expect(said).toContain('snap remove docker')
    expect(calls).not.toContain('apt-get')
  })

  test('a ufw that is active is named where the control plane dials, and left as it is', () => {
    program('ufw', 'echo "Status: active"')
    const dialled = run('ROAD=direct PORT=30000; name_firewall')
    expect(dialled.said).toContain('ufw allow 30000/tcp')
    expect(dialled.calls.trim()).toBe('ufw status')
    expect(run('ROAD=tunnel PORT=30000; name_firewall').said).not.toContain('ufw')
    program('ufw', 'echo "Status: inactive"')
    expect(run('ROAD=direct PORT=30000; name_firewall').said).not.toContain('ufw allow')
  })
})
