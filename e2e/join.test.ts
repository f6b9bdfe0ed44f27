import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createJoinLine,
  createToolbox,
  deployTool,
  getInstance,
  getToolbox,
  type JoinLine,
  removeToolbox,
  rotateToolboxKeys,
} from '@agentopia/api'
import { onMachine, removeMachine } from '@agentopia/testbed/machines'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPortsOf, SSHD } from './open-ports.ts'
import type { Product } from './product.ts'
import { paste, startReachable, startServer } from './server.ts'
import { connected, until } from './settled.ts'

// A server with systemd and a Docker of its own joins by its line, and leaves again.

const SERVER = 'agentopia-testbed-join'

let product: Product
let toolboxId: string
let address: string

beforeAll(async () => {
  address = await startServer(SERVER)
  product = await startReachable()
  toolboxId = (await product.client.call(createToolbox, { body: { provider: 'join', name: 'server' } })).id
})
afterAll(async () => {
  await product[Symbol.asyncDispose]()
  await removeMachine(SERVER)
})

const newLine = (): Promise<JoinLine> => product.client.call(createJoinLine, { params: { toolboxId } })
const run = (line: string): Promise<string> => onMachine(SERVER, ['sh', '-c', `cd /root && ${line}`])
const toolbox = () => product.client.call(getToolbox, { params: { toolboxId } })
const containersOn = async () =>
  (await onMachine(SERVER, ['docker', 'ps', '-a', '--format', '{{.Names}}'])).split('\n').filter(Boolean)

test('one pasted line makes the server an active toolbox, and the token is seen by no other process', async () => {
  const { line } = await newLine()
  const token = /enrol_[\w-]+/.exec(line)![0]
  const watch = onMachine(SERVER, [
    'sh',
    '-c',
    'for i in $(seq 150); do cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; sleep 0.02; done',
  ])
  const said = await paste(SERVER, line)
  expect(said).toContain(`this machine is the toolbox ${toolboxId}`)
  await connected(product.client, toolboxId, 30_000)
  expect((await toolbox()).boot?.stages.map(({ stage, state }) => [stage, state])).toEqual([
    ['docker', 'done'],
    ['image', 'done'],
    ['dtma', 'done'],
    ['enrolled', 'done'],
  ])
  const processes = await watch
  expect(processes).toContain('install-agentopia.sh')
  expect(processes).not.toContain(token)
  expect(await onMachine(SERVER, ['sh', '-c', 'cat /var/log/agentopia-install.log'])).not.toContain(token)
  expect(await onMachine(SERVER, ['docker', 'inspect', `agentopia-dtma-${toolboxId}`])).not.toContain(token)
})

test('a tool runs on the server, and goes on while DTMA is repaired', async () => {
  const deployed = await product.client.call(deployTool, {
    params: { toolboxId },
    body: { toolId: 'everything', name: 'demo', config: {} },
  })
  const params = { toolboxId, instanceId: deployed.id }
  await until(
    'the tool runs',
    () => product.client.call(getInstance, { params }),
    ({ state }) => state === 'running',
    150_000,
  )
  const tool = (await containersOn()).find((name) => name.startsWith(`dtma-${deployed.id}`))!
  const startedAt = () => onMachine(SERVER, ['docker', 'inspect', '--format', '{{.State.StartedAt}}', tool])
  const before = await startedAt()

  await onMachine(SERVER, ['docker', 'rm', '-f', `agentopia-dtma-${toolboxId}`])
  const said = await run((await newLine()).updateLine)
  expect(said).toContain('Done')
  await connected(product.client, toolboxId, 30_000)
  expect(await startedAt()).toBe(before)
})

test('S13 of all its ports the world finds that of its own sshd open, and none of ours', async () => {
  expect(await openPortsOf(address)).toEqual([SSHD])
})

test('other keys: the ones before open nothing, DTMA is connected by the new ones, also when it was killed meanwhile', async () => {
  const dtma = `agentopia-dtma-${toolboxId}`
  const identity = async () =>
    JSON.parse(await onMachine(SERVER, ['cat', '/var/lib/agentopia/dtma/identity.json'])) as {
      privateKey: string
      credentials: { epoch: number; dtmaBearerToken: string }
    }
  const beats = async (token: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = { runId: 'thief', seq: 1, dtmaVersion: '0.1.0', apiVersion: 1, docker: { state: 'ok' } }
    return (await fetch(`${product.url}/dtma/heartbeat`, { method: 'POST', headers, body: JSON.stringify(body) }))
      .status
  }
  const rotate = async () => {
    await product.client.call(rotateToolboxKeys, { params: { toolboxId } })
  }
  const over = () =>
    until(
      'it is connected with other keys',
      toolbox,
      ({ keyRotation, connected, status }) => keyRotation?.phase === 'done' && connected && status === 'active',
    )
  const first = await identity()
  await rotate()
  await over()
  const second = await identity()
  expect([second.privateKey === first.privateKey, second.credentials.epoch > first.credentials.epoch]).toEqual([
    false,
    true,
  ])
  expect(await beats(first.credentials.dtmaBearerToken)).toBe(401)

  // Killed at some moment of it, each time at another one; Docker starts it again.
  for (const after of [0, 0.1, 0.2, 0.3]) {
    const { privateKey } = await identity()
    await rotate()
    await onMachine(SERVER, ['sh', '-c', `sleep ${after}; docker kill --signal KILL ${dtma}; docker start ${dtma}`])
    await over()
    await until('the key is another one', identity, (now) => now.privateKey !== privateKey, 30_000)
  }
})

test('run again, it changes nothing', async () => {
  const created = () =>
    onMachine(SERVER, [
      'docker',
      'inspect',
      '--format',
      '{{.Created}} {{.State.StartedAt}}',
      `agentopia-dtma-${toolboxId}`,
    ])
  const before = await created()
  await run((await newLine()).updateLine)
  expect(await created()).toBe(before)
})

test('it does not make one server two toolboxes', async () => {
  const other = await product.client.call(createToolbox, { body: { provider: 'join', name: 'other' } })
  const { line } = await product.client.call(createJoinLine, { params: { toolboxId: other.id } })
  await expect(run(line)).rejects.toThrow(`is the toolbox ${toolboxId} already`)
})

test('S14 who is root on a toolbox finds the keys of that toolbox, which open nothing else', async () => {
  const { client, dataDir, token, url } = product
  const other = await client.call(createToolbox, { body: { provider: 'join', name: 'neighbour' } })
  const { line } = await client.call(createJoinLine, { params: { toolboxId: other.id } })
  const identity = JSON.parse(await onMachine(SERVER, ['cat', '/var/lib/agentopia/dtma/identity.json'])) as {
    credentials: { dtmaBearerToken: string }
  }
  const own = identity.credentials.dtmaBearerToken
  const masterKey = readFileSync(join(dataDir, 'master.key'), 'utf8').trim()
  const foreign = [token, masterKey, /enrol_[\w-]+/.exec(line)![0]]
  const found = await onMachine(SERVER, ['python3', '-c', SEARCH], JSON.stringify([own, ...foreign]))
  expect(JSON.parse(found)).toEqual([true, ...foreign.map(() => false)])

  const asks = async (path: string, body?: object) => {
    const headers = { authorization: `Bearer ${own}`, 'content-type': 'application/json' }
    const sent = body ? { method: 'POST', body: JSON.stringify(body) } : {}
    return (await fetch(url + path, { headers, ...sent })).status
  }
  for (const path of ['/api/me', '/api/toolboxes', '/api/agents', `/api/toolboxes/${other.id}`])
    expect([path, await asks(path)]).toEqual([path, 401])
  expect(await asks('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' })).toBe(401)
  expect(await asks('/dtma/boot', { toolboxId: other.id, stage: 'docker', state: 'done' })).toBeGreaterThanOrEqual(400)
  await client.call(removeToolbox, { query: {}, params: { toolboxId: other.id } })
})

/** Looks for texts, given as a list on standard input, in what lies on the disk and in the memory of every process but itself. */
const SEARCH = `
import json, os, re, sys
needles = [text.encode() for text in json.load(sys.stdin)]
found = [False] * len(needles)
def look(data):
    for place, needle in enumerate(needles):
        if needle in data: found[place] = True
for top in ['/var/lib/agentopia', '/var/lib/cloud', '/var/lib/docker/containers', '/var/log', '/etc', '/root', '/tmp', '/run']:
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.path.getsize(path) < 64 << 20:
                try: look(open(path, 'rb').read())
                except OSError: pass
for pid in filter(str.isdigit, os.listdir('/proc')):
    if int(pid) == os.getpid(): continue
    try:
        with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
            for line in maps:
                begin, end, rights = re.match('([0-9a-f]+)-([0-9a-f]+) (\\S+)', line).groups()
                size = int(end, 16) - int(begin, 16)
                if rights.startswith('rw') and size < 256 << 20:
                    try:
                        memory.seek(int(begin, 16))
                        look(memory.read(size))
                    except (OSError, ValueError, OverflowError): pass
    except OSError: pass
print(json.dumps(found))
`

test('removed and uninstalled, nothing of it is left on the server but Docker', async () => {
  const { uninstallLine } = await newLine()
  await product.client.call(removeToolbox, { query: {}, params: { toolboxId } })
  await until('the toolbox is gone', toolbox, ({ status }) => status === 'deprovisioned', 20_000)
  expect(await run(uninstallLine)).toContain('gone from this machine')
  expect(await containersOn()).toEqual([])
  const left = await onMachine(SERVER, [
    'sh',
    '-c',
    'ls -d /var/lib/agentopia /var/log/agentopia* 2>/dev/null; docker images -q; docker volume ls -q; docker network ls -q --filter type=custom',
  ])
  expect(left).toBe('')
})
