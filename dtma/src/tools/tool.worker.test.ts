import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { problem } from '../contract/problems.ts'
import { EngineError } from '../engine/engine-error.ts'
import { ToolFailure } from './tool-failure.ts'
import { INFO, SPEC, toolInMemory } from './tool-in-memory.testing.ts'
import { changeOf } from './tool-registry.ts'

let stop: AbortController
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  stop = new AbortController()
})
afterEach(() => {
  stop.abort()
  vi.useRealTimers()
})

function toolbox() {
  const made = toolInMemory(stop.signal)
  return { ...made, pass: (ms = 0) => vi.advanceTimersByTimeAsync(ms) }
}

test('a tool whose image is not here goes through every state to running', async () => {
  const { world, worker, history, pass } = toolbox()
  world.imageThere = false
  await pass()
  expect(history).toEqual(['building', 'created', 'starting', 'running'])
  expect(worker.status).toMatchObject({
    state: 'running',
    restarts: 0,
    mcp: { capabilityDigest: 'd' },
    container: { image: 'image:1' },
  })
})

test('a server that answers no ping is called unhealthy, gets time to come back, and is then started again', async () => {
  const { world, history, pass, worker } = toolbox()
  await pass()
  world.check = async () => {
    throw problem('tool-timeout', 'silence')
  }
  await pass(39_000)
  expect(worker.status.state).toBe('running')
  await pass(2_000)
  expect(worker.status).toMatchObject({ state: 'unhealthy', reason: 'mcp_ping_failed', restarts: 0 })
  await pass(30_000)
  expect(history).toContain('exited mcp_ping_failed')
  world.check = async () => undefined
  await pass(5_000)
  expect(worker.status).toMatchObject({ state: 'running', restarts: 1 })
  expect(world.started).toBe(2)
})

test('an unhealthy server is healthy again once it has answered twice', async () => {
  const { world, pass, worker } = toolbox()
  await pass()
  world.check = async () => {
    throw problem('tool-timeout', 'silence')
  }
  await pass(41_000)
  world.check = async () => undefined
  await pass(5_000)
  expect(worker.status.state).toBe('unhealthy')
  await pass(5_000)
  expect(worker.status).toMatchObject({ state: 'running', restarts: 0 })
  expect(world.started).toBe(1)
})

test('a server that offers something else under the same generation has drifted; a new generation may', async () => {
  const { world, pass, worker } = toolbox()
  await pass()
  expect(worker.status.mcp).toMatchObject({ capabilityDigest: 'd', acceptedDigest: 'd' })
  worker.sessionChanged({ ...INFO, digest: 'e' })
  await pass()
  expect(worker.status.mcp).toMatchObject({ capabilityDigest: 'e', acceptedDigest: 'd' })
  expect(world.events.filter(({ kind }) => kind === 'capabilities')).toHaveLength(1)
  world.open = async () => ({ ...INFO, digest: 'e' })
  await worker.accept({ generation: 2, spec: { ...SPEC, args: ['--new'] } })
  await pass()
  expect(worker.status.mcp).toMatchObject({ capabilityDigest: 'e', acceptedDigest: 'e' })
})

test('two silent pings and an answer are forgiven', async () => {
  const { world, pass, worker } = toolbox()
  await pass()
  let answers = 0
  world.check = async () => {
    if (++answers % 3 !== 0) throw problem('tool-timeout', 'silence')
  }
  await pass(600_000)
  expect(worker.status).toMatchObject({ state: 'running', restarts: 0 })
})

test('C09: crashes are named by the third, and come back ever more slowly until one lasts', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  const waits: number[] = []
  for (let crash = 0; crash < 5; crash++) {
    world.exit()
    await pass()
    expect(worker.status).toMatchObject({ state: 'exited', reason: crash < 2 ? 'exited' : 'crash_loop' })
    let waited = 0
    for (; worker.status.state !== 'running'; waited += 500) await pass(500)
    waits.push(waited / 1_000)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16])
  expect(worker.status.restarts).toBe(5)
  await pass(61_000)
  world.exit(true)
  await pass()
  expect(worker.status).toMatchObject({ state: 'exited', reason: 'oom_killed' })
  await pass(1_000)
  expect(worker.status.state).toBe('running')
})

test('a handshake that fails is not "running", and is tried again', async () => {
  const { world, worker, history, pass } = toolbox()
  world.open = async () => {
    throw problem('tool-protocol-error', 'it speaks something else')
  }
  await pass()
  expect(worker.status).toMatchObject({ state: 'exited', reason: 'mcp_handshake_failed' })
  expect(worker.status.message).toContain('it speaks something else')
  expect(history).not.toContain('running')
  world.open = async () => INFO
  await pass(1_000)
  expect(worker.status.state).toBe('running')
})

test('when Docker goes away the tool is unknown, nothing is done, and all is as it was afterwards', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  const before = world.container()
  world.docker = new EngineError('hung', 'no answer')
  worker.wake()
  await pass()
  expect(worker.status).toMatchObject({ state: 'unknown', reason: 'docker_hung' })
  await pass(120_000)
  world.docker = undefined
  await pass(2_000)
  expect(worker.status).toMatchObject({ state: 'running', restarts: 0 })
  expect(world.container()).toEqual(before)
})

test('a container that differs from what was asked for is removed and never started', async () => {
  const { world, worker, pass } = toolbox()
  world.differences = ['HostConfig.CapAdd']
  await pass()
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'policy_denied' })
  expect(worker.status.message).toContain('HostConfig.CapAdd')
  expect(world.container()).toBeUndefined()
  expect(world.started).toBe(0)
  expect(world.attached).toBe(0)
})

test('a tool that may not be started is let go, and attached to again when it is', async () => {
  const { world, worker, pass } = toolbox()
  world.permitted = async () => {
    throw new ToolFailure('isolation_failed', 'no firewall')
  }
  await pass()
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'isolation_failed' })
  expect({ started: world.started, attached: world.attached }).toEqual({ started: 0, attached: 0 })
  world.permitted = async () => undefined
  worker.released('isolation_failed')
  await pass()
  expect(worker.status.state).toBe('running')
  expect({ started: world.started, attached: world.attached }).toEqual({ started: 1, attached: 1 })
})

test('a container starts under what its own generation may reach, whether that is less than before or more', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  const listed = [{ host: 'api.example.com', port: 443 }]
  for (const egress of ['any', listed, 'any'] as const) {
    await worker.accept({ generation: worker.tool.generation + 1, spec: { ...SPEC, egress } })
    await pass()
    expect(worker.status.state).toBe('running')
  }
  expect(world.startedUnder).toEqual(['none', 'any', listed, 'any'])
})

test('a container whose way out cannot be made is not started, and is when it can', async () => {
  const { world, worker, pass } = toolbox()
  world.join = async () => {
    throw new ToolFailure('internal', 'no gateway')
  }
  await pass()
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'internal', message: 'no gateway' })
  expect({ started: world.started, attached: world.attached }).toEqual({ started: 0, attached: 0 })
  world.join = async () => undefined
  await pass(10_000)
  expect(worker.status.state).toBe('running')
})

test('a failed build is shown with its reason, tried again later, and at once for a new generation', async () => {
  const { world, worker, pass } = toolbox()
  world.imageThere = false
  world.make = async () => {
    throw new ToolFailure('package_not_found', 'The registry has no x@1.0.0', { lasting: true })
  }
  await pass()
  expect(worker.status).toMatchObject({
    state: 'blocked',
    reason: 'package_not_found',
    message: 'The registry has no x@1.0.0',
  })
  await pass(299_000)
  expect(worker.status.state).toBe('blocked')
  world.make = async () => 'image:2'
  await worker.accept({ generation: 2 })
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', generation: 2 })
})

test('D12 while the image of the next generation cannot be had, the present one keeps running', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  const before = world.container()
  world.imageThere = false
  world.make = async () => {
    throw new ToolFailure('registry_unreachable', 'The registry does not answer')
  }
  await worker.accept({ generation: 2, spec: { ...SPEC, args: ['--new'] } })
  await pass()
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'registry_unreachable' })
  expect(world.container()).toEqual(before)
})

test('what was adopted from the run before and does not answer is started again, without blame', async () => {
  const first = toolbox()
  await first.pass()
  const { world, worker, pass } = first
  let tries = 0
  world.open = async () => {
    if (tries++ === 0) throw problem('tool-timeout', 'silence')
    return INFO
  }
  worker.sessionChanged(undefined)
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', container: { id: 'c1' } })
  expect(tries).toBe(2)
})

test('a full disk refuses a change and leaves what was accepted', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  world.saved.push = () => {
    throw new Error('ENOSPC')
  }
  await expect(worker.accept({ desired: 'stopped' })).rejects.toThrow('ENOSPC')
  await pass(20_000)
  expect(worker.status).toMatchObject({ state: 'running', desired: 'running' })
})

test('deleting leaves nothing, and images that nobody else needs go too', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  await worker.accept({ desired: 'absent' })
  await pass()
  await worker.gone
  expect(world.container()).toBeUndefined()
  expect(world.removedImages).toEqual(['image:1'])
})

test('what of a deleted tool cannot be removed is tried again, with pauses, until it can', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  let tries = 0
  world.takeAway = async () => {
    if (++tries < 3) throw new EngineError('conflict', 'volume is in use')
  }
  await worker.accept({ desired: 'absent' })
  await pass(1_000)
  expect(tries).toBe(1)
  await pass(40_000)
  expect(tries).toBe(3)
  await worker.gone
})

test('a new version that does not speak MCP is taken back: the one before runs again, and says why', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  const good = worker.tool.spec
  const bad = { ...SPEC, args: ['--broken'] }
  world.open = async () => {
    if (worker.tool.spec.args.includes('--broken')) throw problem('tool-protocol-error', 'it speaks something else')
    return INFO
  }
  await worker.accept({ generation: 2, spec: bad })
  await pass()
  expect(worker.status).toMatchObject({ state: 'exited', reason: 'mcp_handshake_failed' })
  await pass(5_000)
  expect(worker.status).toMatchObject({ state: 'running', reason: 'rolled_back', generation: 2 })
  expect(worker.status.message).toContain('it speaks something else')
  expect(worker.tool.spec).toEqual(good)

  // The same request again changes nothing, and the next generation gets its own chance.
  expect(changeOf(worker.tool, { generation: 2, desired: 'running', spec: bad })).toBeUndefined()
  await worker.accept({ generation: 3, spec: { ...SPEC, args: ['--mended'] } })
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', generation: 3 })
  expect(worker.status.reason).toBeUndefined()
})

test('a package that does not exist is taken back at once, a registry that is away is not a fault of the version', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  world.imageThere = false
  world.make = async () => {
    if (worker.tool.generation === 3) throw new ToolFailure('registry_unreachable', 'The registry does not answer')
    if (worker.tool.generation === 2) world.imageThere = true
    throw new ToolFailure('package_not_found', 'No such version', { lasting: true })
  }
  await worker.accept({ generation: 2, spec: { ...SPEC, args: ['--next'] } })
  await pass(1_000)
  expect(worker.status).toMatchObject({ state: 'running', reason: 'rolled_back', generation: 2 })
  world.imageThere = false
  await worker.accept({ generation: 3, spec: { ...SPEC, args: ['--third'] } })
  await pass(600_000)
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'registry_unreachable', generation: 3 })
})

test('a first version that does not work has nothing to go back to', async () => {
  const { world, worker, pass } = toolbox()
  world.open = async () => {
    throw problem('tool-protocol-error', 'it speaks something else')
  }
  await pass(60_000)
  expect(worker.status).toMatchObject({ reason: 'mcp_handshake_failed', generation: 1 })
})

test('a new generation is not said to run while the container of the last one does', async () => {
  const { worker, pass } = toolbox()
  await pass()
  await worker.accept({ generation: 2 })
  expect(worker.status).toMatchObject({ state: 'starting', generation: 2, container: { id: 'c1' } })
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', generation: 2, container: { id: 'c2' } })
  await worker.accept({ generation: 3, desired: 'stopped' })
  expect(worker.status).toMatchObject({ state: 'stopping', generation: 3 })
})

test('C07: a running container is compared when it looks different, and made anew when it is', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  const { compared } = world
  await pass(60_000)
  expect(world.compared).toBe(compared)
  world.memory = 2
  await pass(15_000)
  expect(world.compared).toBe(compared + 1)
  expect(worker.status).toMatchObject({ state: 'running', restarts: 0, container: { id: 'c1' } })

  world.memory = 3
  world.differences = ['HostConfig.Memory']
  await pass(14_999)
  world.create = async () => {
    world.differences = []
  }
  await pass(2_000)
  expect(world.events).toContainEqual(expect.objectContaining({ reason: 'policy_denied' }))
  expect(worker.status).toMatchObject({ state: 'running', restarts: 1, container: { id: 'c2' } })
})
