import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  createJoinLine,
  createToolbox,
  getInstance,
  getToolbox,
  redeployToolbox,
  type Toolbox,
  updateToolbox,
} from '@agentopia/api'
import { type GitServer, openGitServer } from '@agentopia/testbed/git-server'
import { bridgeAddress, onMachine, removeMachine } from '@agentopia/testbed/machines'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runAgentopia } from './command-line.ts'
import { BROKEN, type OwnBuild, ownBuild } from './given-out.ts'
import { type Product, waitFor } from './product.ts'
import { paste, startReachable, startServer } from './server.ts'
import { connected, deploy } from './settled.ts'

// A server with systemd, on which DTMA is a service; the control plane gives out later versions of it, good ones and bad ones.

const DTMA = fileURLToPath(new URL('../dtma', import.meta.url))

let product: Product
let source: GitServer
let build: OwnBuild

beforeAll(async () => {
  build = await ownBuild()
  const address = await bridgeAddress()
  source = await openGitServer(DTMA, address)
  product = await startReachable({ DTMA_SOURCE_URL: source.url, DTMA_SOURCE_COMMIT: source.commit }, build.program)
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await source?.[Symbol.asyncDispose]()
  await build?.[Symbol.asyncDispose]()
})

/** From its next start on. */
async function giveOut(version: string, instead?: string): Promise<void> {
  await product.stop()
  await build.giveOut(version, instead)
  await product.start()
}

describe.each(['systemd', 'git'] as const)('by %s', (variant) => {
  const server = `agentopia-testbed-update-${variant}`
  let toolboxId: string

  const shell = (script: string) => onMachine(server, ['sh', '-c', `cd /root && ${script}`])
  const toolbox = (): Promise<Toolbox> => product.client.call(getToolbox, { params: { toolboxId } })
  const active = () => connected(product.client, toolboxId)
  const containers = () => shell("docker ps --no-trunc --quiet --filter label=dtma.tool | sort | tr '\\n' ' '")
  /** Programs of DTMA that run, without the shells that look for them. */
  const processes = () => shell("pgrep -af '[d]tma.cjs' || true")
  const programs = () => shell('ls -1 /opt/agentopia/updates | tr "\\n" " "')
  const update = () => runAgentopia(product, ['toolbox', 'update', `by-${variant}`])

  beforeAll(async () => {
    await startServer(server, 2_048)
    const made = { provider: 'join', name: `by-${variant}`, variant } as const
    toolboxId = (await product.client.call(createToolbox, { body: made })).id
    const { line } = await product.client.call(createJoinLine, { params: { toolboxId } })
    await paste(server, line)
    await active()
  })
  afterAll(() => removeMachine(server))

  test('a good release takes over: the tool runs on, and one DTMA is left', async () => {
    const instance = await deploy(product.client, toolboxId, 'everything', 'echo')
    const before = await containers()
    await giveOut('50.0.0')
    await active()
    await waitFor('nothing newer is offered', 60_000, async () =>
      (await toolbox()).release?.newer === '50.0.0' ? true : undefined,
    )
    const begun = performance.now()
    const { code, stdout, stderr } = await update()
    console.log(`  ${variant}: updated in ${((performance.now() - begun) / 1_000).toFixed(1)} s\n${stderr}`)
    expect([code, stdout]).toEqual([0, expect.stringContaining('done')])
    await active()
    expect(await toolbox()).toMatchObject({ dtmaVersion: '50.0.0', update: { version: '50.0.0', phase: 'done' } })
    expect(await containers()).toBe(before)
    await waitFor('the tool is not seen running', 60_000, async () => {
      const params = { toolboxId, instanceId: instance.id }
      return (await product.client.call(getInstance, { params })).state === 'running' ? true : undefined
    })
    expect((await processes()).split('\n')).toEqual([expect.stringContaining('updates/current/dtma.cjs')])
    expect(await programs()).toMatch(/^50\.0\.0-\w{12} current$/)
  })

  test('the version that runs is deployed anew, twice: what was damaged on its disk is whole again, and one DTMA is left', async () => {
    const before = await containers()
    for (const named of [/^50\.0\.0-\w{12}-again current$/, /^50\.0\.0-\w{12} current$/]) {
      const process = await processes()
      await shell("printf '\\n// damaged' >>/opt/agentopia/updates/current/dtma.cjs")
      const { code, stdout, stderr } = await runAgentopia(product, ['toolbox', 'redeploy', `by-${variant}`])
      expect([code, stdout], stderr).toEqual([0, expect.stringContaining('DTMA 50.0.0 anew: done')])
      await active()
      expect(await programs()).toMatch(named)
      expect((await processes()).split('\n')).toEqual([expect.stringContaining('updates/current/dtma.cjs')])
      expect(await processes()).not.toBe(process)
      expect(await shell('tail -n 1 /opt/agentopia/updates/current/dtma.cjs')).not.toContain('damaged')
      expect(await containers()).toBe(before)
    }
  })

  test('it may write its later versions and its state, and nothing else; nobody of another user may', async () => {
    const inside = 'nsenter --mount --target $(systemctl show -P MainPID agentopia-dtma)'
    const node = '/opt/agentopia/current/node'
    await expect(shell(`${inside} touch /opt/agentopia/canary ${node}`)).rejects.toThrow(/Read-only file system/)
    await expect(shell(`runuser -u agentopia-dtma -- touch ${node} /opt/agentopia/canary`)).rejects.toThrow(
      /Permission denied/,
    )
    await shell(`${inside} sh -c 'touch /opt/agentopia/updates/canary && rm /opt/agentopia/updates/canary'`)
    await expect(shell('runuser -u nobody -- touch /opt/agentopia/updates/canary')).rejects.toThrow(/Permission denied/)
  })

  test('run again, the script leaves a version that is later than what it installs', async () => {
    const { updateLine } = await product.client.call(createJoinLine, { params: { toolboxId } })
    await giveOut('49.0.0')
    await shell(updateLine)
    expect(await active()).toMatchObject({ dtmaVersion: '50.0.0' })
    expect(await programs()).toMatch(/^50\.0\.0-\w{12} current$/)
  })

  test('U04 a release that ends at its start falls back with the reason, in less than two minutes', async () => {
    await giveOut('51.0.0', BROKEN)
    await active()
    const begun = performance.now()
    const { code, stderr } = await update()
    expect([code, stderr]).toEqual([1, expect.stringContaining('ended 3 times')])
    expect(performance.now() - begun).toBeLessThan(120_000)
    await active()
    expect(await toolbox()).toMatchObject({
      dtmaVersion: '50.0.0',
      update: { version: '51.0.0', phase: 'fell_back', reason: 'crash_loop' },
    })
    expect(await programs()).toMatch(/^50\.0\.0-\w{12} current$/)
  })

  const once = variant === 'systemd' ? ['its two minutes are over'] : []
  test.each(once)('U04 a release that is not heard of falls back when %s', async () => {
    await giveOut('52.0.0', 'setInterval(() => {}, 1_000_000)\n')
    await active()
    const { code, stderr } = await update()
    expect([code, stderr]).toEqual([1, expect.stringContaining('gave no sign of itself')])
    expect(await active()).toMatchObject({ dtmaVersion: '50.0.0', update: { reason: 'does_not_start' } })
  })

  const kills = variant === 'systemd' ? [300, 900, 2_000, 4_500] : [1_300]
  test.each(kills)('U03 killed every %i ms of an update, one working DTMA is left', async (everyMs) => {
    const version = `60.${everyMs}.0`
    await giveOut(version)
    await active()
    const runs = (await toolbox()).dtmaVersion!
    await product.client.call(updateToolbox, { params: { toolboxId } })
    let count = 0
    for (const until = performance.now() + 15_000; performance.now() < until; count += 1) {
      await sleep(everyMs)
      await shell("pkill -9 -f '[d]tma.cjs' || true")
    }
    const end = await waitFor('the update did not come to an end', 240_000, async () => {
      const { update, status, connected } = await toolbox()
      const over = ['done', 'fell_back', 'failed'].includes(update?.phase ?? '')
      return over && update?.version === version && status === 'active' && connected ? update : undefined
    })
    console.log(`  ${variant}: ${count} kills, one every ${everyMs} ms: ${end.phase} ${end.reason ?? ''}`)
    expect((await toolbox()).dtmaVersion).toBe(end.phase === 'done' ? version : runs)
    expect((await processes()).split('\n')).toHaveLength(1)
  })

  /** Of a service that is built on its machine. */
  const fromGit = variant === 'git' ? [900] : []
  test.each(fromGit)(
    'U03 killed every %i ms while the same version is deployed anew, one whole DTMA is left',
    async (everyMs) => {
      const [before, runs] = [await containers(), (await toolbox()).dtmaVersion!]
      await giveOut(runs)
      await active()
      await shell("printf '\\n// damaged' >>/opt/agentopia/updates/current/dtma.cjs")
      await product.client.call(redeployToolbox, { params: { toolboxId } })
      const { askedAt } = (await toolbox()).update!
      for (const until = performance.now() + 10_000; performance.now() < until; ) {
        await sleep(everyMs)
        await shell("pkill -9 -f '[d]tma.cjs' || true")
      }
      const end = await waitFor('it did not come to an end', 240_000, async () => {
        const { update, status, connected } = await toolbox()
        const over = ['done', 'fell_back', 'failed'].includes(update?.phase ?? '')
        return over && update?.askedAt === askedAt && status === 'active' && connected ? update : undefined
      })
      console.log(`  ${variant}: deployed anew under kills: ${end.phase} ${end.reason ?? ''}`)
      expect((await toolbox()).dtmaVersion).toBe(runs)
      expect((await processes()).split('\n')).toHaveLength(1)
      expect(await containers()).toBe(before)
      const { code, stdout, stderr } = await runAgentopia(product, ['toolbox', 'redeploy', `by-${variant}`])
      expect([code, stdout], stderr).toEqual([0, expect.stringContaining('anew: done')])
      expect(await shell('tail -n 1 /opt/agentopia/updates/current/dtma.cjs')).not.toContain('damaged')
      expect(await containers()).toBe(before)
    },
  )

  const installerKills = fromGit.map(() => [0.3, 1.5, 4, 9])
  test.each(installerKills)(
    'U03 the script is killed again and again while it builds, and DTMA with it; run once more, all is whole',
    async (...seconds) => {
      const before = await containers()
      const { updateLine } = await product.client.call(createJoinLine, { params: { toolboxId } })
      const program = await shell('readlink /opt/agentopia/current')
      // Somebody has taken away the program that was built here: the script builds it anew.
      await shell(`rm /opt/agentopia/${program}/dtma.cjs`)
      for (const after of seconds) {
        await shell(`timeout --signal=KILL ${after} sh -c '${updateLine.replaceAll("'", `'\\''`)}' || true`)
        await shell("pkill -9 -f '[d]tma.cjs' || true")
        await active()
      }
      await shell(updateLine)
      await active()
      expect(await shell(`ls -A /opt/agentopia/${program} | tr '\\n' ' '`)).toBe('dtma.cjs node')
      expect(await shell("ls -A /opt/agentopia | grep -c '[.]new$' || true")).toBe('0')
      expect((await processes()).split('\n')).toHaveLength(1)
      expect(await containers()).toBe(before)
    },
  )

  test('uninstalled, nothing of it is left', async () => {
    const { uninstallLine } = await product.client.call(createJoinLine, { params: { toolboxId } })
    await shell(uninstallLine)
    expect(await shell('ls /opt/agentopia /var/lib/agentopia 2>&1 || true')).toMatch(/No such file/)
  })
})
