import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InstallVariant } from '@agentopia/api'
import { expect, test } from 'vitest'
import { installScript } from '../../install/install-script.ts'
import { USER_DATA_LIMIT, userData } from './user-data.ts'

const fields = {
  variant: 'docker',
  publicUrl: 'https://agentopia.example',
  keyPin: 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  toolboxId: 'toolbox_0123456789abcdef',
  enrolmentToken: 'enrol_the-token-that-works-once',
} as const

test.each(InstallVariant.options)('by %s it is as it was read and approved', async (variant) => {
  await expect(userData({ ...fields, variant })).toMatchFileSnapshot(`./fixtures/user-data.${variant}.sh`)
})

test('K07 holds the four fields that it may hold, and is far below the limit', () => {
  const text = userData(fields)
  const assigned = [...text.matchAll(/^([A-Z_]+)='?(.*?)'?$/gm)].map(([, name, value]) => [name, value])
  expect(assigned).toEqual([
    ['CONTROL_PLANE', fields.publicUrl],
    ['PIN', fields.keyPin],
    ['TOOLBOX_ID', fields.toolboxId],
    ['TOKEN', fields.enrolmentToken],
    ['SCRIPT', '/root/install-agentopia.sh'],
  ])
  expect(Buffer.byteLength(text)).toBeLessThan(USER_DATA_LIMIT / 4)
  expect(text).not.toMatch(/set -\w*x/)
})

test('K07 nothing else in it differs from one droplet to another, by whichever way and road', () => {
  const others = {
    publicUrl: 'https://tools.example.org',
    keyPin: 'sha256//BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=',
    toolboxId: 'toolbox_fedcba9876543210',
    enrolmentToken: 'enrol_another-token',
  }
  for (const variant of InstallVariant.options)
    for (const directPort of [undefined, 30_000]) {
      const [one, other] = [fields, others].map((values) =>
        [values.publicUrl, values.keyPin, values.toolboxId, values.enrolmentToken].reduce(
          (text, value) => text.replace(value, '*'),
          userData({ ...values, variant, directPort }),
        ),
      )
      expect(one).toBe(other)
      expect(one).not.toMatch(/enrol_|sha256\/\/|toolbox_/)
    }
})

/** A first boot with programs of our own in the place of the droplet's. @param install What is fetched as the install script. */
function booted(install: string) {
  const directory = mkdtempSync(join(tmpdir(), 'agentopia-boot-'))
  try {
    const [bin, disk] = ['bin', 'disk'].map((name) => join(directory, name)) as [string, string]
    for (const path of [bin, disk]) mkdirSync(path)
    const program = (name: string, body: string) => {
      writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>"${directory}/lines"\n${body}\n`)
      chmodSync(join(bin, name), 0o755)
    }
    const onDisk = (script: string) =>
      script
        .replace('/root/install-agentopia.sh', `${disk}/install.sh`)
        .replace('/var/log/agentopia-install.log', `${disk}/install.log`)
        .replaceAll('/var/lib/agentopia', `${disk}/agentopia`)
        .replaceAll(/-(l[te]) 60/g, '-$1 2')
    writeFileSync(join(directory, 'install'), onDisk(install))
    program('curl', `while [ $# -gt 1 ]; do if [ "$1" = -o ]; then cp "${directory}/install" "$2"; fi; shift; done`)
    program('sh', 'exec /bin/sh "$@"')
    program('id', 'echo 0')
    for (const name of ['sleep', 'systemctl']) program(name, ':')
    for (const name of ['apt-get', 'docker', 'nft']) program(name, 'echo "$0 failed" >&2; exit 1')
    const script = onDisk(userData(fields))
    const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: disk, TMPDIR: disk }
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { env, encoding: 'utf8', timeout: 30_000 })
    const files = readdirSync(disk, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    return {
      status,
      /** As cloud-init keeps it. */
      output: stdout + stderr,
      lines: readFileSync(join(directory, 'lines'), 'utf8'),
      files: Object.fromEntries(
        files.map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'utf8')]),
      ),
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('K07 the token reaches the install script, and nothing that a boot leaves: no output, line of a process or file', () => {
  const reads = `#!/bin/sh\nread -r token\n[ "$token" = ${fields.enrolmentToken} ] && echo "installed $*"\n`
  const { status, output, lines, files } = booted(reads)
  expect([status, output]).toEqual([0, `installed ${fields.toolboxId}\n`])
  expect(lines).toContain('install.sh toolbox_0123456789abcdef')
  expect(lines).not.toContain(fields.enrolmentToken)
  expect(files).toEqual({})
})

test('K07 an installation that fails leaves a log, and the token is not in it either', () => {
  const { variant, publicUrl, keyPin } = fields
  const script = installScript({ variant, publicUrl, keyPin, imageName: 'agentopia-dtma:latest' })
  const { status, output, lines, files } = booted(script)
  expect([status, output]).toEqual([1, expect.stringContaining('FAILED')])
  expect(files['install.log']).toContain('this machine becomes the toolbox')
  expect(lines).toContain('/dtma/boot')
  expect(output + lines + JSON.stringify({ ...files, 'install.sh': '' })).not.toContain(fields.enrolmentToken)
})

test.each([["'; rm -rf /; '"], ['two words'], ['two\nlines']])('nothing gets out of its quotes: %j', (value) => {
  expect(() => userData({ ...fields, toolboxId: value })).toThrow('does not fit')
})
