import { createJoinLine, createToolbox, diagnoseToolbox, type InstallVariant, removeToolbox } from '@agentopia/api'
import { type GitServer, openGitServer } from '@agentopia/testbed/git-server'
import { bridgeAddress, onMachine, removeMachine } from '@agentopia/testbed/machines'
import { type ImageRegistry, openRegistry } from '@agentopia/testbed/registry'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { footprintOf } from './footprint.ts'
import { type Product, waitFor } from './product.ts'
import { paste, startReachable, startServer } from './server.ts'
import { connected, deploy } from './settled.ts'

// A server with systemd and a Docker of its own becomes a toolbox in each of the ways there are, and a server like before again.

const LOGIN = { user: 'puller', password: 'canary-of-the-registry' }
const DTMA = new URL('../dtma', import.meta.url).pathname

let product: Product
let registry: ImageRegistry
let source: GitServer

beforeAll(async () => {
  const address = await bridgeAddress()
  registry = await openRegistry(process.env['DTMA_IMAGE'] ?? 'agentopia-dtma:latest', address, LOGIN)
  source = await openGitServer(DTMA, address)
  product = await startReachable({
    DTMA_REGISTRY_IMAGE: registry.image,
    DTMA_REGISTRY_USER: LOGIN.user,
    DTMA_REGISTRY_PASSWORD: LOGIN.password,
    DTMA_SOURCE_URL: source.url,
    DTMA_SOURCE_COMMIT: source.commit,
  })
})
afterAll(async () => {
  await product[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
  await source[Symbol.asyncDispose]()
})

describe.each([
  ['docker', ['docker', 'image', 'dtma', 'enrolled']],
  ['registry', ['docker', 'image', 'dtma', 'enrolled']],
  ['systemd', ['docker', 'image', 'program', 'dtma', 'enrolled']],
  ['git', ['docker', 'image', 'program', 'dtma', 'enrolled']],
] as const)('by %s', (variant: InstallVariant, stages) => {
  const server = `agentopia-testbed-install-${variant}`
  const service = variant === 'systemd' || variant === 'git'
  let toolboxId: string
  let before: Awaited<ReturnType<typeof footprintOf>>

  const shell = (script: string) => onMachine(server, ['sh', '-c', `cd /root && ${script}`])
  const lines = () => product.client.call(createJoinLine, { params: { toolboxId } })
  const active = (withinMs?: number) => connected(product.client, toolboxId, withinMs)

  beforeAll(async () => {
    await startServer(server, 2_048)
    const insecure = JSON.stringify({ 'insecure-registries': [registry.host] })
    await shell(`printf '%s' '${insecure}' >/etc/docker/daemon.json && systemctl restart docker`)
    before = await footprintOf(server)
    const made = { provider: 'join', name: `by-${variant}`, variant } as const
    toolboxId = (await product.client.call(createToolbox, { body: made })).id
  })
  afterAll(() => removeMachine(server))

  test('one pasted line makes it an active toolbox', async () => {
    const { line } = await lines()
    const begun = performance.now()
    await paste(server, line)
    const toolbox = await active()
    console.log(`  ${variant}: active ${((performance.now() - begun) / 1_000).toFixed(1)} s after the line was pasted`)
    expect(toolbox.variant).toBe(variant)
    expect(toolbox.boot?.stages.map(({ stage, state }) => [stage, state])).toEqual(stages.map((name) => [name, 'done']))
  })

  test('a tool runs', async () => {
    await deploy(product.client, toolboxId, 'everything', 'demo')
  })

  test('it is what it says: a container, or a hardened service that is no container', async () => {
    const containers = await shell("docker ps --format '{{.Names}}'")
    expect(containers.includes(`agentopia-dtma-${toolboxId}`)).toBe(!service)
    if (variant === 'registry')
      expect(registry.calls.filter((call) => /^GET .*blobs.* 200$/.test(call))).not.toEqual([])
    if (!service) return
    const status = await shell('cat /proc/$(systemctl show -P MainPID agentopia-dtma)/status')
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(status).toMatch(/^Seccomp:\t2$/m)
    expect(status).toMatch(/^CapEff:\t0000000000000000$/m)
    expect(status).toMatch(/^CapBnd:\t0000000000000000$/m)
    expect(status).not.toMatch(/^Uid:\t0\t/m)
    const inside = 'nsenter --mount --target $(systemctl show -P MainPID agentopia-dtma)'
    await expect(shell(`${inside} touch /usr/canary /etc/canary /opt/agentopia/canary /root/canary`)).rejects.toThrow(
      /Read-only file system/,
    )
    await shell(`${inside} sh -c 'touch /var/lib/agentopia/dtma/canary && rm /var/lib/agentopia/dtma/canary'`)
  })

  test('no secret is where others read it', async () => {
    const { token } = /(?<token>enrol_[\w-]+)/.exec((await lines()).line)!.groups as { token: string }
    const readable = await shell(
      'cat /var/log/agentopia-install.log /etc/systemd/system/agentopia-dtma.service /root/.docker/config.json 2>/dev/null; docker inspect $(docker ps -aq); systemctl show agentopia-dtma; journalctl --no-pager | cat; true',
    )
    for (const secret of [token, LOGIN.password, Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64')])
      expect(readable).not.toContain(secret)
    expect(readable).not.toMatch(/"?(?:dtma|backend|enrol)_[\w-]{32,}/)
  })

  test('killed, it is back by itself', async () => {
    const runOf = () => shell("pgrep -f '[d]tma.cjs' | tr '\\n' ' '")
    const first = await runOf()
    await shell("pkill -9 -f '[d]tma.cjs'")
    await waitFor('DTMA did not come back', 30_000, async () => {
      const now = await runOf().catch(() => '')
      return now !== '' && now !== first ? now : undefined
    })
    await active()
  })

  test.each(service ? ['its Docker is down'] : [])('what is broken on it is named with its fix: %s', async () => {
    const docker = async () =>
      (await product.client.call(diagnoseToolbox, { params: { toolboxId } })).checks.find(({ id }) => id === 'docker')
    await shell('systemctl stop docker.socket docker')
    const broken = await waitFor('DTMA does not see it', 60_000, async () => {
      const check = await docker()
      return check?.ok === false ? check : undefined
    })
    expect(broken).toMatchObject({ fix: expect.stringContaining('Docker') })
    await shell('systemctl start docker')
    await waitFor('DTMA does not see Docker again', 60_000, async () => ((await docker())?.ok ? true : undefined))
  })

  test('run again it changes nothing; damaged, it is repaired', async () => {
    const started = () =>
      shell(
        service
          ? 'systemctl show -P ExecMainStartTimestampMonotonic agentopia-dtma'
          : `docker inspect --format '{{.State.StartedAt}}' agentopia-dtma-${toolboxId}`,
      )
    const { updateLine } = await lines()
    const at = await started()
    await shell(updateLine)
    expect(await started()).toBe(at)
    await shell(
      service
        ? 'systemctl disable --now agentopia-dtma; rm -rf /etc/systemd/system/agentopia-dtma.service /opt/agentopia; userdel agentopia-dtma'
        : `docker rm --force agentopia-dtma-${toolboxId}`,
    )
    await shell(updateLine)
    expect(await started()).not.toBe(at)
    await active()
  })

  test('uninstalled, it is the server that it was', async () => {
    const { uninstallLine } = await lines()
    await product.client.call(removeToolbox, { params: { toolboxId }, query: {} })
    await shell(uninstallLine)
    expect(await footprintOf(server)).toEqual(before)
  })
})
