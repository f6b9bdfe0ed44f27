import { afterEach, expect, test } from 'vitest'
import { EngineError } from '../engine/engine-error.ts'
import { memoryLog } from '../uplink/control-plane.testing.ts'
import { bytesOf, tableNameOf } from './firewall.rules.ts'
import { watchFirewall } from './firewall.ts'
import { kernelInMemory } from './kernel.testing.ts'
import { textIn } from './netlink.ts'

const NEW_RULE = 0xa06
/** Of tables, chains and rules. */
const GETS = new Set([0xa01, 0xa04, 0xa07])
const never = new AbortController().signal
const begun: { readonly stop: AbortController; readonly stopped: Promise<void> }[] = []
afterEach(async () => {
  for (const { stop, stopped } of begun.splice(0)) {
    stop.abort()
    await stopped
  }
})

/** One life of DTMA on this machine, which looks when it is asked to. */
function alive(machine: ReturnType<typeof kernelInMemory>) {
  const stop = new AbortController()
  const log = memoryLog()
  const told: string[] = []
  const firewall = watchFirewall({
    docker: machine.docker,
    owner: machine.owner,
    image: async () => 'sha256:a',
    log,
    date: () => new Date(0),
    random: () => 0,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve())
      }),
    onChange: ({ state, message }) => void told.push([state, message].join(' ').trim()),
    signal: stop.signal,
  })
  begun.push({ stop, stopped: firewall.stopped })
  return { firewall, told, log }
}

test('a table that an earlier life has left goes, once, and so does what took it away', async () => {
  const machine = kernelInMemory()
  const table = tableNameOf(machine.owner)
  machine.tables.set(table, { chains: new Set(), rules: [] }).set('filter', { chains: new Set(), rules: [] })
  const { firewall } = alive(machine)
  await firewall.require(never)
  expect([...machine.tables.keys()]).toEqual(['filter'])
  expect([machine.hasLine(), firewall.state]).toEqual([false, undefined])
  await firewall.require(never)
  expect(machine.made).toBe(1)
})

test('a table of its own goes with the last tool, each time', async () => {
  const machine = kernelInMemory()
  const { firewall } = alive(machine)
  for (let life = 1; life <= 2; life++) {
    machine.networks = ['mail']
    await firewall.require(never)
    expect([...machine.tables.keys()]).toEqual([tableNameOf(machine.owner)])
    machine.networks = []
    await firewall.require(never)
    expect([machine.tables.size, machine.hasLine(), firewall.state]).toEqual([0, false, undefined])
  }
})

test.each([
  ['there is something to keep apart', ['mail'], true],
  ['there is nothing any more', [], false],
])('the container that a killed DTMA has left goes when the next one looks: %s', async (_, networks, hasLine) => {
  const machine = kernelInMemory()
  machine.networks = ['mail']
  await alive(machine).firewall.require(never) // and is not told to stop before the next one begins
  machine.networks = networks
  const { firewall } = alive(machine)
  await firewall.require(never)
  expect([machine.made, machine.hasLine(), firewall.state?.state]).toEqual([2, hasLine, hasLine ? 'ok' : undefined])
})

test('a container that does not start is not left behind', async () => {
  const machine = kernelInMemory()
  machine.networks = ['mail']
  machine.noStart = new EngineError('invalid', 'exec: "perl": executable file not found in $PATH')
  const { firewall } = alive(machine)
  await firewall.require(never)
  expect([machine.hasLine(), firewall.state?.state]).toEqual([false, 'unavailable'])
})

test('while there is nothing to keep apart, no toolbox is degraded because nobody can look for leftovers', async () => {
  const machine = kernelInMemory()
  const { firewall, told, log } = alive(machine)
  machine.refusal = new Error('no disk space')
  await firewall.require(never)
  expect([firewall.state, told]).toEqual([undefined, []])
  expect(log.said.join()).toContain('cannot be removed')
  machine.refusal = undefined
  await firewall.require(never)
  expect(machine.made).toBe(1)
})

test('where there can be no firewall, none was left', async () => {
  const machine = kernelInMemory()
  const { firewall } = alive(machine)
  machine.refusal = new EngineError('invalid', 'no host network here')
  await firewall.require(never)
  machine.refusal = undefined
  await firewall.require(never)
  expect([machine.made, firewall.state]).toEqual([0, undefined])
})

test('a Docker that does not say what there is to keep apart lets nobody start, also after it had said: nothing', async () => {
  const machine = kernelInMemory()
  const { firewall } = alive(machine)
  await firewall.require(never)
  Object.assign(machine.docker, { listNetworks: () => Promise.reject(new Error('cannot be read')) })
  await expect(firewall.require(never)).rejects.toMatchObject({ reason: 'isolation_failed' })
})

test('only its own table is asked for: others may have thousands of rules', async () => {
  const machine = kernelInMemory()
  machine.networks = ['mail']
  const { firewall } = alive(machine)
  await firewall.require(never)
  const questions = machine.asked.filter(({ type }) => GETS.has(type))
  expect(new Set(questions.map(({ type }) => type))).toEqual(GETS)
  for (const { body } of questions) expect(textIn(body, 1)).toBe(tableNameOf(machine.owner))
})

test('a list that is interrupted by a change of somebody else’s is asked for again, and is no tampering', async () => {
  const machine = kernelInMemory()
  machine.networks = ['mail']
  const { firewall, told } = alive(machine)
  await firewall.require(never)
  const made = () => machine.asked.filter(({ type }) => type === NEW_RULE).length
  const before = made()
  machine.interruptions = 3
  await firewall.require(never)
  expect([machine.interruptions, made(), firewall.state?.state, told]).toEqual([0, before, 'ok', []])
})

test('rules that never hold still cannot be read, which is said; nobody is accused', async () => {
  const machine = kernelInMemory()
  machine.networks = ['mail']
  const { firewall } = alive(machine)
  await firewall.require(never)
  machine.interruptions = Number.POSITIVE_INFINITY
  await expect(firewall.require(never)).rejects.toMatchObject({ reason: 'isolation_failed' })
  expect(firewall.state?.message).toMatch(/changed while they were read/)
  machine.interruptions = 0
  await firewall.require(never)
  expect(firewall.state?.state).toBe('ok')
})

test('what was changed from outside is told and put right', async () => {
  const machine = kernelInMemory()
  machine.networks = ['mail']
  const { firewall, told } = alive(machine)
  await firewall.require(never)
  machine.tables.get(tableNameOf(machine.owner))!.rules.pop()
  await firewall.require(never)
  machine.tables.delete(tableNameOf(machine.owner))
  await firewall.require(never)
  expect(told).toEqual(['missing Its rules were changed from outside', 'ok', 'missing Its rules were taken away', 'ok'])
})

test('where Docker gives the gateway an address of IPv6 as well, the rules are for both', async () => {
  const machine = kernelInMemory()
  machine.networks = ['mail']
  const { firewall } = alive(machine)
  await firewall.require(never)
  const before = machine.tables.get(tableNameOf(machine.owner))!.rules.length
  machine.addresses.GlobalIPv6Address = 'fd00:d0c::2'
  await firewall.require(never)
  expect(machine.tables.get(tableNameOf(machine.owner))!.rules.length).toBe(before + 2 * 4)
  // Also for the address that its interface gives itself: by that one too, the machine would answer.
  const itself = bytesOf('fe80::42:acff:fe1f:702')
  expect(machine.asked.filter(({ type, body }) => type === NEW_RULE && body.includes(itself))).toHaveLength(4)
})
