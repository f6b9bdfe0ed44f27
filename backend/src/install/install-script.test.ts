import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { InstallVariant } from '@agentopia/api'
import { expect, test } from 'vitest'
import { createBody, LABELS } from '../providers/local/dtma-container.ts'
import { type InstallFacts, installScript } from './install-script.ts'
import { joinLine, onlyHere } from './join-line.ts'

const facts: InstallFacts = {
  variant: 'docker',
  publicUrl: 'https://agentopia.example',
  imageId: `sha256:${'a'.repeat(64)}`,
  imageName: 'agentopia-dtma:latest',
}

const bodyIn = (script: string): ReturnType<typeof createBody> => JSON.parse(/^CREATE_BODY='(.*)'$/m.exec(script)![1]!)

test('makes the same container as the local provider, from the same recipe', () => {
  const body = bodyIn(installScript(facts))
  const local = createBody({
    toolboxId: 'toolbox_a',
    imageId: facts.imageId!,
    home: '/data',
    stateDir: '/data/dtma',
    socketPath: '/var/run/docker.sock',
    user: { user: '1000:1000', groups: ['998'] },
    apiBaseUrl: facts.publicUrl,
    port: 30_000,
    listen: { host: '127.0.0.1', more: ['DTMA_ROAD=tunnel', 'DTMA_PLAIN_HTTP=on'] },
  })
  const asLocal = JSON.parse(
    JSON.stringify(body)
      .replaceAll('/var/lib/agentopia', '/data')
      .replaceAll('__TOOLBOX__', 'toolbox_a')
      .replaceAll('__USER__', '1000:1000')
      .replaceAll('__GROUP__', '998')
      .replaceAll('__HOST__', '127.0.0.1')
      .replaceAll('__PORT__', '30000')
      .replaceAll('__ROAD__', 'tunnel')
      .replaceAll('__PLAIN__', 'on'),
  )
  const { [LABELS.recipe]: _, ...labels } = local.Labels
  expect(asLocal).toMatchObject({ ...local, Labels: labels })
})

const bundle = 'b'.repeat(64)
const source = { url: 'https://git.example/agentopia.git', commit: 'c'.repeat(40) }

test.each(InstallVariant.options)(
  'by %s it is a script that a POSIX shell reads, with every placeholder filled',
  (variant) => {
    const script = installScript({ ...facts, variant, bundle, source })
    expect(spawnSync('sh', ['-n'], { input: script }).status).toBe(0)
    expect(script).not.toMatch(/@[A-Z_]+@/)
    expect(script).not.toMatch(/set -\w*x/)
  },
)

test('it names only what its own way of installation needs', () => {
  const filledIn = (variant: InstallVariant, name: string) =>
    new RegExp(`^${name}='(.*)'$`, 'm').exec(installScript({ ...facts, variant, bundle, source }))![1]
  expect(
    InstallVariant.options.map((variant) => [filledIn(variant, 'BUNDLE'), filledIn(variant, 'GIT_COMMIT')]),
  ).toEqual([
    ['', ''],
    ['', ''],
    [bundle, ''],
    ['', source.commit],
  ])
})

test('a new image or another address is another recipe, so that running it again updates', () => {
  const recipe = (over: Partial<InstallFacts>) => /^RECIPE='(\w+)'$/m.exec(installScript({ ...facts, ...over }))![1]
  expect(
    new Set([recipe({}), recipe({}), recipe({ imageId: 'sha256:b' }), recipe({ publicUrl: 'https://other.example' })])
      .size,
  ).toBe(3)
})

test('a value that would leave its quotes is refused', () => {
  expect(() => installScript({ ...facts, imageName: "x'; reboot; '", imageId: undefined })).toThrow('quotes')
})

const join = {
  variant: 'docker',
  publicUrl: 'https://agentopia.example',
  toolboxId: 'toolbox_a',
  token: 'enrol_secret',
} as const

test('the token reaches the script by standard input, from a shell’s own printf', () => {
  const { line, updateLine, uninstallLine } = joinLine(join)
  expect(line).toMatch(
    /^curl -fsSL -o \S+ https:\/\/agentopia\.example\/install\.sh && printf '%s\\n' 'enrol_secret' \| /,
  )
  expect(line.split('|')[1]).not.toContain('enrol_')
  expect(updateLine + uninstallLine).not.toContain('enrol_')
})

test.each([
  ['docker', '/install.sh'],
  ['registry', '/install/registry.sh'],
  ['systemd', '/install/systemd.sh'],
  ['git', '/install/git.sh'],
] as const)('by %s every line fetches %s, which no shell takes for a pattern', (variant, path) => {
  const { line, updateLine, uninstallLine } = joinLine({ ...join, variant })
  for (const each of [line, updateLine, uninstallLine]) expect(each).toContain(` https://agentopia.example${path} `)
})

test('the pin goes with every line, and a server is warned of an address that means itself', () => {
  const keyPin = 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
  const pinned = joinLine({ ...join, keyPin })
  for (const line of [pinned.line, pinned.updateLine, pinned.uninstallLine])
    expect(line).toContain(`--pinnedpubkey '${keyPin}'`)
  expect(pinned).not.toHaveProperty('warning')
  expect(joinLine({ ...join, publicUrl: 'http://localhost:3000' }).warning).toContain('PUBLIC_URL')
})

test('a server is warned of a way on which others can change what it runs; not within a private network', () => {
  expect(joinLine({ ...join, publicUrl: 'http://agentopia.example' }).warning).toContain('is not https')
  expect(joinLine({ ...join, publicUrl: 'http://203.0.114.7:3000' }).warning).toContain('is not https')
  for (const publicUrl of ['https://agentopia.example', 'http://10.0.0.1:3000'])
    expect(joinLine({ ...join, publicUrl })).not.toHaveProperty('warning')
})

test.each([
  ['http://localhost:3000', true],
  ['http://127.0.0.1:3000', true],
  ['http://[::1]:3000', true],
  ['http://box.localhost:3000', true],
  ['https://127.example.com', false],
  ['http://10.0.0.1:3000', false],
  ['https://agentopia.example', false],
])('%s is only here: %s', (url, expected) => expect(onlyHere(url)).toBe(expected))

test('a server of the direct road is told so by its line, in words that the script takes', () => {
  const { line } = joinLine({ ...join, direct: { address: '203.0.113.7', port: 31_000, plainHttp: false } })
  expect(line).toContain('install-agentopia.sh --direct 31000 toolbox_a')
  const plain = joinLine({ ...join, direct: { address: '10.0.0.7', port: 30_000, plainHttp: true } })
  expect(plain.line).toContain('--direct 30000 --plain-http toolbox_a')
  for (const wrong of [['--direct'], ['--direct', '1;reboot', 'toolbox_a'], ['--direct', '', 'toolbox_a']]) {
    const { status, stderr } = spawnSync('sh', ['-s', '--', ...wrong], { input: withoutRoot(installScript(facts)) })
    expect([status, String(stderr)]).toEqual([64, expect.stringContaining('usage:')])
  }
})

/** The script with what it does as root left out, up to where it reads its arguments. */
const withoutRoot = (script: string): string =>
  script
    .replace('if [ "$(id -u)" != 0 ]', 'if false')
    .replace('LOG=/var/log/agentopia-install.log', 'LOG=/dev/null')
    .replace('touch "$LOG"', ':')

test('U06 wherever it runs npm, scripts of packages do not run', () => {
  const lines = installScript({ ...facts, variant: 'git', source }).match(/npm (?:ci|install)[^&]*/g)
  expect(lines).toHaveLength(1)
  for (const line of lines!) expect(line).toContain('--ignore-scripts')
})

/** What the script does to the firewall and nothing else of it, where programs only tell what they are asked. */
function firewallRemoved(programs: Readonly<Record<string, string>>): {
  readonly asked: string
  readonly said: string
} {
  const home = mkdtempSync(path.join(tmpdir(), 'agentopia-firewall-'))
  try {
    writeFileSync(path.join(home, 'image'), 'agentopia-dtma:kept\n')
    mkdirSync(path.join(home, 'bin'))
    for (const [name, answer] of Object.entries(programs)) {
      writeFileSync(path.join(home, 'bin', name), `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>${home}/asked\n${answer}\n`)
      chmodSync(path.join(home, 'bin', name), 0o755)
    }
    const script = installScript(facts)
    const needed = [
      /^FORGET_FIREWALL=.*$/m,
      /^say\(\) .*$/m,
      /^quietly\(\) .*$/m,
      /^remove_firewall\(\) \{\n[\s\S]*?\n\}$/m,
    ]
    const parts = needed.map((part) => part.exec(script)?.[0] ?? '')
    const settings = [`PATH=${home}/bin:/usr/bin:/bin`, `HOME_DIR=${home}`, `LOG=${home}/log`, 'OWNER=abcdef0123456789']
    const input = ['set -eu', ...settings, ...parts, 'remove_firewall', 'say went on'].join('\n')
    const { stdout } = spawnSync('/bin/sh', { input, encoding: 'utf8' })
    return { asked: readFileSync(path.join(home, 'asked'), 'utf8'), said: stdout }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

test('the rules of DTMA go by nft where the machine has it, else by the image', () => {
  const byNft = firewallRemoved({ docker: '', nft: '' })
  expect(byNft).toEqual({ asked: 'nft delete table inet dtma-abcdef012345\n', said: 'went on\n' })
  // Nothing to remove is a failure of nft's: it is looked at in the other way as well.
  const { asked, said } = firewallRemoved({ docker: '', nft: 'exit 1' })
  expect(asked).toMatch(
    /docker run --rm --network host .*--cap-add NET_ADMIN .*perl agentopia-dtma:kept -e .* dtma-abcdef012345\n$/,
  )
  expect(said).toBe('went on\n')
  const failed = firewallRemoved({ docker: 'exit 1', nft: 'exit 1' })
  expect(failed.said).toMatch(/dtma-abcdef012345.*firewall[\s\S]*went on/)
})

test('uninstalled, the rules go after what they hold for, and before the image that can remove them', () => {
  const uninstall = /^uninstall\(\) \{\n[\s\S]*?\n\}$/m.exec(installScript(facts))![0]
  const places = ['docker ps -aq', 'remove_firewall', 'remove_all image', 'docker rmi'].map((part) =>
    uninstall.indexOf(part),
  )
  expect(places).toEqual([...places].sort((a, b) => a - b))
  expect(places).not.toContain(-1)
})
