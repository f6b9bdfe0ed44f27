import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createToolbox,
  forgetSshHostKey,
  listActivity,
  makeSshKey,
  readEventStream,
  readSshHostKey,
  runOverSsh,
  type SshAction,
  SshEvent,
  type SshLogin,
} from '@agentopia/api'
import { onMachine, removeMachine } from '@agentopia/testbed/machines'
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSignInLink, openBrowser, signIn } from './browser.ts'
import { type Footprint, footprintOf } from './footprint.ts'
import { type Product, waitFor } from './product.ts'
import { startReachable, startServer } from './server.ts'
import { connected } from './settled.ts'

// The control plane comes to a server with Debian's own sshd, as a user who needs sudo.

const SERVER = 'agentopia-testbed-ssh'
const PASSWORD = 'canary of the password'
const HOST_KEY = '/etc/ssh/ssh_host_ed25519_key'

let product: Product
let toolboxId: string
let host: string
let before: Footprint
const keys = mkdtempSync(join(tmpdir(), 'agentopia-ssh-'))

const shell = (script: string, input?: string) => onMachine(SERVER, ['sh', '-c', script], input)
const fingerprint = async (): Promise<string> => (await shell(`ssh-keygen -lf ${HOST_KEY}`)).split(' ')[1]!
const newToolbox = async (name: string): Promise<string> => {
  const body = { provider: 'ssh', name, variant: 'systemd', host, user: 'ops' } as const
  return (await product.client.call(createToolbox, { body })).id
}
const params = () => ({ params: { toolboxId } })
const byPassword: SshLogin = { type: 'password', password: PASSWORD }

/** Runs to the end. @returns What was told, line by line, and how it ended. */
async function push(action: SshAction, login: SshLogin, hostKey: string, signal?: AbortSignal) {
  const body = { action, login, hostKey }
  const response = await product.client.open(runOverSsh, { ...params(), body }, signal ? { signal } : {})
  const lines: string[] = []
  for await (const { data } of readEventStream(response, SshEvent)) {
    if (data.type === 'end') return { lines, end: data }
    lines.push(data.text)
  }
  throw new Error('the stream had no end')
}
const refusal = (action: SshAction, login: SshLogin, hostKey: string): Promise<{ code: string; message: string }> =>
  push(action, login, hostKey).then(
    ({ end }) => {
      throw new Error(`it was not refused: ${end.summary}`)
    },
    (error: { code: string; message: string }) => error,
  )
const active = () => connected(product.client, toolboxId)

beforeAll(async () => {
  host = await startServer(SERVER, 2_048)
  await shell(
    'ssh-keygen -A && systemctl restart ssh && useradd --create-home --shell /bin/bash ops && usermod -aG sudo ops && install -d -o ops -g ops -m 700 /home/ops/.ssh',
  )
  await shell('chpasswd', `ops:${PASSWORD}\n`)
  product = await startReachable()
  toolboxId = await newToolbox('server')
  before = await footprintOf(SERVER)
})
afterAll(async () => {
  await product[Symbol.asyncDispose]()
  await removeMachine(SERVER)
  rmSync(keys, { recursive: true, force: true })
})

test('the host key is shown as the server itself prints it, before anybody logs in', async () => {
  const { seen, recorded } = await product.client.call(readSshHostKey, params())
  expect(seen).toEqual({ type: 'ssh-ed25519', fingerprint: await fingerprint() })
  expect(recorded).toBeUndefined()
  expect(await shell('last -w ops || true')).not.toMatch(/^ops/)
})

test('a fingerprint that is not the one that was compared is refused, and nobody is sent a password', async () => {
  const { code, message } = await refusal('install', byPassword, 'SHA256:another')
  expect(code).toBe('ssh-host-key-changed')
  expect(message).toContain(await fingerprint())
  expect(message).toContain('SHA256:another')
  expect(await shell('journalctl --no-pager -u ssh')).not.toMatch(/password for ops/)
})

test('a wrong password, and a key that nobody knows, are refused in words', async () => {
  const wrong = await refusal('install', { type: 'password', password: 'wrong' }, await fingerprint())
  expect(wrong).toMatchObject({ code: 'ssh-login-refused', message: expect.stringContaining('let ops not in') })
  const none = await refusal('install', { type: 'account-key' }, await fingerprint())
  expect(none).toMatchObject({ code: 'ssh-login-refused', message: expect.stringContaining('no SSH key yet') })
  const broken = await refusal('install', { type: 'private-key', privateKey: 'no key' }, await fingerprint())
  expect(broken).toMatchObject({ code: 'ssh-login-refused', message: expect.stringContaining('cannot be read') })
})

test('what fails there is told with its exit code', async () => {
  const { end, lines } = await push('update', byPassword, await fingerprint())
  expect(end).toMatchObject({ ok: false, exitCode: 64 })
  expect(lines.join('\n')).toContain('Nothing is installed here yet')
})

test('who leaves ends it there, too', async () => {
  const leave = new AbortController()
  const body = { action: 'install', login: byPassword, hostKey: await fingerprint() } as const
  const response = await product.client.open(runOverSsh, { ...params(), body }, { signal: leave.signal })
  for await (const { data } of readEventStream(response, SshEvent)) if (data.type === 'line') break
  leave.abort()
  const running = () => shell("pgrep -f '[i]nstall-agentopia' || true")
  await waitFor('the script runs on', 30_000, async () => ((await running()) === '' ? true : undefined))
  await waitFor('the run is not over', 10_000, async () => {
    const { items } = await product.client.call(listActivity, { query: { toolboxId } })
    return items.some(({ action }) => action === 'toolbox.ssh-install') || undefined
  })
})

test('installed over SSH it is an active toolbox; each line came as it was said', async () => {
  const watch = shell('for i in $(seq 400); do cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; sleep 0.02; done')
  const { lines, end } = await push('install', byPassword, await fingerprint())
  expect(end).toMatchObject({ ok: true, exitCode: 0 })
  expect(lines.at(-1)).toContain(`this machine is the toolbox ${toolboxId}`)
  expect((await active()).ssh?.hostKey?.fingerprint).toBe(await fingerprint())
  const processes = await watch
  const traces =
    processes + (await shell('cat /var/log/agentopia-install.log; journalctl --no-pager; ls -a /tmp /home/ops'))
  expect(processes).toContain('install-agentopia.sh')
  for (const secret of [PASSWORD, 'enrol_']) expect(traces + lines.join('\n')).not.toContain(secret)
  expect(product.output()).not.toContain(PASSWORD)
})

test('the key of the account repairs it, where sudo does not ask', async () => {
  const { publicKey } = await product.client.call(makeSshKey, {})
  await shell(
    'cat >/home/ops/.ssh/authorized_keys && echo "ops ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/ops',
    `${publicKey}\n`,
  )
  await shell('systemctl stop agentopia-dtma && rm -rf /opt/agentopia')
  const { end } = await push('update', { type: 'account-key' }, await fingerprint())
  expect(end).toMatchObject({ ok: true })
  await active()
  // A password that nobody asks for is not taken for the program.
  expect((await push('update', byPassword, await fingerprint())).end).toMatchObject({ ok: true })
})

test('a key of the caller, with its passphrase, is used once and kept nowhere', async () => {
  const file = join(keys, 'id')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'canary of the passphrase', '-f', file])
  await shell('cat >/home/ops/.ssh/authorized_keys', readFileSync(`${file}.pub`, 'utf8'))
  const privateKey = readFileSync(file, 'utf8')
  const login = { type: 'private-key', privateKey, passphrase: 'canary of the passphrase' } as const
  expect((await push('update', login, await fingerprint())).end).toMatchObject({ ok: true })
  expect(await refusal('update', { ...login, passphrase: 'wrong' }, await fingerprint())).toMatchObject({
    code: 'ssh-login-refused',
    message: expect.stringContaining('does not open'),
  })
})

test('another host key is refused with both fingerprints, until an administrator forgets the recorded one', async () => {
  const old = await fingerprint()
  await shell(`rm ${HOST_KEY}* && ssh-keygen -A && systemctl restart ssh`)
  const now = await fingerprint()
  const { code, message } = await refusal('update', byPassword, now)
  expect(code).toBe('ssh-host-key-changed')
  expect(message).toContain(old)
  expect(message).toContain(now)
  expect(await product.client.call(readSshHostKey, params())).toMatchObject({
    seen: { fingerprint: now },
    recorded: { fingerprint: old },
  })
  await product.client.call(forgetSshHostKey, params())
  expect((await push('update', byPassword, now)).end).toMatchObject({ ok: true })
})

test('uninstalled over SSH, it is the server that it was', async () => {
  expect((await push('uninstall', byPassword, await fingerprint())).end).toMatchObject({ ok: true })
  await shell('rm /home/ops/.ssh/authorized_keys /etc/sudoers.d/ops')
  const own = (line: string) => line.startsWith('/home/ops') || line.startsWith('/etc/ssh/')
  const { files, ...others } = await footprintOf(SERVER)
  expect(others).toEqual(withoutFiles(before))
  expect(files.filter((line) => !own(line))).toEqual(before.files.filter((line) => !own(line)))
})

test('a person follows it on the page to its last line, while the toolbox below it becomes active', async () => {
  toolboxId = await newToolbox('looked-at')
  await using browsing = await openBrowser(product.url)
  const { page } = browsing
  await signIn(page, await newSignInLink(product))
  await page.goto(`/toolboxes/${toolboxId}`)
  await page.getByRole('button', { name: 'Over SSH' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(await fingerprint()).waitFor()
  await dialog.getByLabel('It is the one that the server itself shows').check()
  await dialog.getByLabel('Password').fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Install' }).click()

  const log = dialog.getByRole('log')
  const seen = new Set<number>()
  await waitFor('the page did not hear the end', 180_000, async () => {
    seen.add((await textOf(log)).length)
    const now = await textOf(dialog.getByRole('status'))
    return now === 'Running' ? undefined : now
  }).catch(async (cause: unknown) => {
    const { items } = await product.client.call(listActivity, { query: { toolboxId } })
    const told = [await textOf(page.locator('body')), browsing.complaints, items, product.output()]
    throw new Error(JSON.stringify(told, null, 2), { cause })
  })
  const whole = await textOf(log)
  expect([await textOf(dialog.getByRole('status')), whole]).toEqual([
    'Done',
    expect.stringContaining(`this machine is the toolbox ${toolboxId}`),
  ])
  expect(whole).not.toContain(PASSWORD)
  expect(seen.size).toBeGreaterThan(2) // each line came as it was said
  await active()
  await page.getByText('active', { exact: true }).first().waitFor()
  expect(await textOf(log)).toBe(whole) // what the page has heard since has neither closed nor emptied it
  expect(browsing.complaints.filter((text) => /TypeError|Uncaught/.test(text))).toEqual([])
})

/** @throws {Error} When it is not there soon. */
const textOf = (part: Locator): Promise<string> => part.innerText({ timeout: 10_000 })

const withoutFiles = ({ files: _, ...others }: Footprint) => others
