import { Observation, type ObservationCode } from '@agentopia/api'
import { DTMA_OPERATIONS, type DtmaStatus } from '@agentopia/dtma/contract'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Machine } from '../providers/provider.ts'
import { type Answer, type CloseCause, diagnose, type Facts, observationOf, type TunnelFacts } from './diagnose.ts'

const AT = new Date('2026-01-01T10:00:00.000Z')
const EARLIER = new Date('2026-01-01T09:00:00.000Z')
const open: TunnelFacts = { open: true, since: EARLIER }
const never: TunnelFacts = { open: false }
const closed = (cause: CloseCause): TunnelFacts => ({
  open: false,
  lastClose: { at: AT, code: cause === 'goodbye' ? 4000 : 1006, cause },
})
type Answered = Extract<Answer, { kind: 'status' }>
const answers = (over: Partial<DtmaStatus> = {}): Answered => ({
  kind: 'status',
  ms: 3,
  status: {
    version: '0.1.0',
    apiVersion: 1,
    toolboxId: 'toolbox_a',
    runId: 'r',
    uptimeSeconds: 1,
    docker: { state: 'ok', version: '28.0.0' },
    system: {} as DtmaStatus['system'],
    tools: [],
    ...over,
  },
})
const refused = (httpStatus: number, code: string): Answer => ({ kind: 'refused', httpStatus, code })
const machine = (over: Partial<Machine>): Machine => ({
  ref: 'c',
  state: 'running',
  current: true,
  description: 'the container c is there',
  ...over,
})
const exited = (code: number) => machine({ state: 'stopped', exit: { code, at: AT } })
const deadline: Answer = { kind: 'deadline', ms: 3_000 }
const broken: Answer = { kind: 'broken', detail: 'reset' }
const facts = (over: Partial<Facts>): Facts => ({
  toolboxId: 'toolbox_a',
  enrolled: true,
  lastHeartbeatAt: EARLIER,
  tunnel: open,
  ...over,
})

const CASES: readonly (readonly [string, Partial<Facts>, ObservationCode])[] = [
  ['answers with its identity and a working Docker', { answer: answers() }, 'reachable'],
  ['answers without naming an identity', { answer: answers({ toolboxId: undefined } as never) }, 'reachable'],
  ['answers that Docker is down', { answer: answers({ docker: { state: 'down' } }) }, 'docker_down'],
  ['answers that Docker hangs', { answer: answers({ docker: { state: 'hung' } }) }, 'docker_hung'],
  ['answers as another toolbox', { answer: answers({ toolboxId: 'toolbox_b' }) }, 'identity_mismatch'],
  ['answers in another version', { answer: answers({ apiVersion: 2 }) }, 'incompatible'],
  ['lacks an operation that we need', { answer: answers({ operations: ['getStatus'] }) }, 'incompatible'],
  ['has every operation', { answer: answers({ operations: DTMA_OPERATIONS.map(({ id }) => id) }) }, 'reachable'],
  ['answers outside the contract', { answer: { kind: 'unreadable', detail: 'no JSON' } }, 'incompatible'],
  ['refuses the key', { answer: refused(401, 'unauthenticated') }, 'unauthorized'],
  ['has no keys', { answer: refused(503, 'unconfigured') }, 'unauthorized'],
  ['lacks the operation', { answer: refused(404, 'not-found') }, 'incompatible'],
  ['fails', { answer: refused(500, 'internal') }, 'not_answering'],
  ['lets the deadline pass', { answer: deadline }, 'not_answering'],
  [
    'lets the deadline pass, its container paused',
    { answer: deadline, machine: machine({ state: 'paused' }) },
    'not_answering',
  ],
  ['said goodbye', { tunnel: closed('goodbye') }, 'stopped'],
  [
    'said goodbye, its container not yet gone',
    { tunnel: closed('goodbye'), machine: machine({ startedAt: EARLIER }) },
    'stopped',
  ],
  [
    'said goodbye, was started again and has not connected since',
    { tunnel: closed('goodbye'), machine: machine({ startedAt: new Date(AT.getTime() + 1) }) },
    'unreachable',
  ],
  ['said goodbye while it was asked', { tunnel: closed('goodbye'), answer: broken }, 'stopped'],
  ['went without a goodbye', { tunnel: closed('broken') }, 'unreachable'],
  ['was killed', { tunnel: closed('broken'), machine: exited(137) }, 'unreachable'],
  ['was killed, and removed', { tunnel: closed('broken'), machine: 'absent' }, 'unreachable'],
  ['stopped in order, but the goodbye was lost', { tunnel: closed('broken'), machine: exited(0) }, 'stopped'],
  ['stopped by a signal while we were away', { tunnel: never, machine: exited(143) }, 'stopped'],
  ['was killed while we were away', { tunnel: never, machine: exited(137) }, 'unreachable'],
  ['answered no ping', { tunnel: closed('silent') }, 'not_answering'],
  [
    'answered no ping, and is paused',
    { tunnel: closed('silent'), machine: machine({ state: 'paused' }) },
    'not_answering',
  ],
  [
    'is paused, the connection broken',
    { tunnel: closed('broken'), machine: machine({ state: 'paused' }) },
    'not_answering',
  ],
  ['answered no ping, and was killed then', { tunnel: closed('silent'), machine: exited(137) }, 'unreachable'],
  ['was revoked', { tunnel: closed('revoked') }, 'unauthorized'],
  ['was replaced by a newer run that is gone too', { tunnel: closed('superseded') }, 'unreachable'],
  ['never came', { tunnel: never, lastHeartbeatAt: undefined } as never, 'never_connected'],
  [
    'never came, its container exited',
    { tunnel: never, lastHeartbeatAt: undefined, machine: exited(1) } as never,
    'never_connected',
  ],
  ['was heard before we started, not since', { tunnel: never }, 'unreachable'],
  [
    'was stopped before we started',
    { tunnel: never, previous: { code: 'stopped', observedAt: AT.toISOString() } },
    'stopped',
  ],
  [
    'was stopped once, but heard again since',
    { tunnel: never, lastHeartbeatAt: AT, previous: { code: 'stopped', observedAt: EARLIER.toISOString() } },
    'unreachable',
  ],
  [
    'was reachable before we started',
    { tunnel: never, previous: { code: 'reachable', observedAt: AT.toISOString() } },
    'unreachable',
  ],
]

test.each(CASES)('a DTMA that %s', (_, over, code) => {
  const diagnosis = diagnose(facts(over))
  expect(diagnosis.code).toBe(code)
  expect(diagnosis.evidence.length).toBeGreaterThan(0)
  expect(diagnosis.nextStep === undefined).toBe(code === 'reachable')
})

test('the cases above reach every code there is', () => {
  expect(new Set(CASES.map(([, , code]) => code))).toEqual(new Set(Observation.shape.code.options))
})

test('what the provider saw is evidence, and its remedy the next step', () => {
  const remedy = 'docker start c'
  const description = 'the container c exited with code 137'
  const diagnosis = diagnose(facts({ tunnel: closed('broken'), machine: { ...exited(137), description, remedy } }))
  expect(diagnosis.evidence).toContain(description)
  expect(diagnosis.nextStep).toBe(remedy)
})

test('a DTMA that runs but does not connect is to be asked through its log', () => {
  const remedy = 'Read its log: docker logs c'
  expect(diagnose(facts({ tunnel: closed('broken'), machine: machine({ remedy }) })).nextStep).toBe(remedy)
  expect(diagnose(facts({ answer: deadline, machine: machine({ remedy }) })).nextStep).not.toBe(remedy)
  expect(diagnose(facts({ tunnel: closed('goodbye'), machine: machine({ remedy }) })).nextStep).not.toBe(remedy)
})

test('evidence names what was measured', () => {
  expect(diagnose(facts({ answer: answers() })).evidence[0]).toBe('round trip 3 ms')
  const after = (ms: number) => diagnose(facts({ answer: { ...answers(), ms } })).evidence[0]
  expect([after(0.4162), after(13.838394999998854)]).toEqual(['round trip 0.4 ms', 'round trip 14 ms'])
  expect(diagnose(facts({ answer: refused(401, 'unauthenticated') })).evidence[0]).toContain('HTTP 401')
  expect(diagnose(facts({ tunnel: closed('broken') })).evidence[0]).toBe(
    'tunnel closed with code 1006 (no goodbye) at 2026-01-01T10:00:00.000Z',
  )
})

test('an observation keeps its beginning while the code stays the same', () => {
  const first = observationOf(diagnose(facts({ tunnel: closed('broken') })), null, EARLIER)
  const second = observationOf(diagnose(facts({ tunnel: closed('broken') })), first, AT)
  const third = observationOf(diagnose(facts({ answer: answers() })), second, AT)
  expect(second).toMatchObject({ since: EARLIER.toISOString(), observedAt: AT.toISOString() })
  expect(third.since).toBe(AT.toISOString())
})

test('whatever was found, there is an observation that fits the contract', () => {
  const some = <T>(values: readonly T[]) => fc.constantFrom(...values)
  const any = fc.record({
    tunnel: some<TunnelFacts>([
      open,
      never,
      ...(['goodbye', 'silent', 'superseded', 'revoked', 'broken'] as const).map(closed),
    ]),
    answer: some<Answer | undefined>([undefined, answers(), refused(418, 'x'), deadline, broken]),
    machine: some<Machine | 'absent' | 'unmade' | undefined>([
      undefined,
      'absent',
      'unmade',
      machine({}),
      machine({ state: 'creating' }),
      exited(1),
    ]),
    enrolled: fc.boolean(),
  })
  void fc.assert(
    fc.property(any, (over) => Observation.safeParse(observationOf(diagnose(facts(over as never)), null, AT)).success),
  )
})

test('operations that a DTMA lacks are named, and so is what the probe of its tools has found', () => {
  const lacking = diagnose(facts({ answer: answers({ operations: ['getStatus', 'putTool'] }) }))
  expect(lacking.evidence).toContain('it lacks deleteTool, getCapabilities, followToolLogs')
  expect(lacking.summary).toBe('DTMA lacks operations that the control plane needs')

  const isolation = { state: 'failed', checkedAt: AT.toISOString(), leaks: ['metadata 169.254.169.254:80'] } as const
  const leaking = diagnose(
    facts({ answer: answers({ docker: { state: 'ok', isolation: { ...isolation, leaks: [...isolation.leaks] } } }) }),
  )
  expect(leaking.summary).toContain('does not keep tools apart')
  expect(leaking.evidence.join()).toContain('metadata 169.254.169.254:80')
})

test('a toolbox whose firewall is missing is reachable and degraded, with what was found and since when', () => {
  const firewall = { state: 'missing', since: AT.toISOString(), message: 'EPERM' } as const
  const seen = diagnose(
    facts({ answer: answers({ docker: { state: 'ok', isolation: { state: 'ok', leaks: [], firewall } } }) }),
  )
  expect(seen.code).toBe('reachable')
  expect(seen.summary).toContain('degraded: the firewall of its tools is missing')
  expect(seen.evidence).toContain(`its firewall is missing since ${AT.toISOString()}: EPERM`)
})

// What an operator reads when a droplet does not answer: what happened, then what to do.
const words = (summary: string) => ({ summary, remedy: `what to do when: ${summary}` })
const droplet = (over: Partial<Machine> = {}) =>
  machine({ silence: { broken: words('DTMA has ended'), silent: words('its network is cut') }, ...over })
const off = droplet({ state: 'stopped', silence: { broken: words('it is off'), silent: words('it is off') } })

test.each([
  ['whose DTMA has ended', closed('broken'), droplet(), 'DTMA has ended'],
  ['whose network is cut', closed('silent'), droplet(), 'its network is cut'],
  ['that is powered off', closed('goodbye'), off, 'it is off'],
  ['that lost its power', closed('silent'), off, 'it is off'],
] as const)('a droplet %s is called so, with the next step', (_, tunnel, found, summary) => {
  expect(diagnose(facts({ tunnel, machine: found }))).toMatchObject({
    summary,
    nextStep: `what to do when: ${summary}`,
  })
})

test('a droplet that was destroyed is called so, with the next step', () => {
  const gone = { machine: 'absent', absentRemedy: 'Try again' } as const
  expect(diagnose(facts({ tunnel: closed('silent'), ...gone }))).toMatchObject({
    summary: 'Its machine does not exist any more',
    nextStep: 'Try again',
  })
})

test.each([
  ['for the first time', undefined, never, 'never_connected'],
  ['anew after it was lost', EARLIER, closed('silent'), 'not_answering'],
] as const)('one that is being made %s is not called destroyed', (_, heard, tunnel, code) => {
  const { lastHeartbeatAt, ...rest } = facts({ tunnel, machine: 'unmade', absentRemedy: 'Somebody destroyed it' })
  const said = diagnose({ ...rest, ...(heard ? { lastHeartbeatAt: heard } : {}) })
  expect(said).toMatchObject({
    code,
    summary: 'Its machine is not made yet',
    nextStep: expect.stringContaining('Wait while it is made'),
    evidence: expect.arrayContaining(['its provider has made no machine for it yet']),
  })
})

test('one whose DTMA was stopped on it is told how to start it', () => {
  const { summary, nextStep } = diagnose(facts({ tunnel: closed('goodbye'), machine: droplet() }))
  expect([summary, nextStep]).toEqual([
    'DTMA was stopped on purpose',
    expect.stringContaining('docker start agentopia-dtma-toolbox_a'),
  ])
})
