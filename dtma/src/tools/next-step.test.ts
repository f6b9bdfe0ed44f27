import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Known, nextStep, type ObservedContainer, type Wanted } from './next-step.ts'

const NOW = 1_000
const running: ObservedContainer = { id: 'c1', generation: 2, specHash: 'h', state: 'running' }
const created = { ...running, state: 'created' } as const
const exited = { ...running, state: 'exited' } as const
const removing = { ...running, state: 'removing' } as const
const paused = { ...running, state: 'paused' } as const
const dead = { ...running, state: 'dead' } as const
const old = { ...running, generation: 1 }
const oldExited = { ...exited, specHash: 'other' }
const ready: Known = { image: 'present', session: 'c1', retryAt: 0, checkAt: 9_000 }
const fresh: Known = { image: 'unknown', retryAt: 0, checkAt: 0 }
const absentImage: Known = { ...fresh, image: 'absent' }
const present: Known = { ...fresh, image: 'present' }
const later = { retryAt: 5_000 }

type Row = [string, Wanted['desired'], ObservedContainer | undefined, Known, string]
test.each<Row>([
  // desired, container, known → step
  ['a new tool: look for its image', 'running', undefined, fresh, 'find-image'],
  ['its image is not here: make it', 'running', undefined, absentImage, 'make-image'],
  ['making it failed just now: wait', 'running', undefined, { ...absentImage, ...later }, 'wait 4000'],
  ['its image is here: create', 'running', undefined, present, 'create'],
  ['creating failed just now: wait', 'running', undefined, { ...present, ...later }, 'wait 4000'],
  ['created: start', 'running', created, present, 'start'],
  ['exited: start again', 'running', exited, present, 'start'],
  ['exited, to wait first', 'running', exited, { ...present, ...later }, 'wait 4000'],
  ['running without session: open one', 'running', running, present, 'open'],
  ['running with the session of its predecessor: open one', 'running', running, { ...ready, session: 'c0' }, 'open'],
  ['running well: wait until the next check', 'running', running, ready, 'wait 8000'],
  ['running, check due', 'running', running, { ...ready, checkAt: NOW }, 'check'],
  ['outdated, new image not looked for: it keeps running', 'running', old, fresh, 'find-image'],
  ['outdated, new image not here: it keeps running', 'running', old, absentImage, 'make-image'],
  ['outdated, new image cannot be had: it keeps running', 'running', old, { ...absentImage, ...later }, 'wait 4000'],
  ['outdated, new image here: stop it', 'running', old, present, 'stop'],
  ['outdated and exited: remove it', 'running', oldExited, present, 'remove'],
  ['running with withdrawn secrets: stop it', 'running', running, { ...ready, staleSecrets: true }, 'stop'],
  [
    'running with withdrawn secrets, outdated, new image not here: stop it all the same',
    'running',
    old,
    { ...absentImage, staleSecrets: true },
    'stop',
  ],
  ['running without a session that it could survive: stop it', 'running', running, { ...fresh, broken: true }, 'stop'],
  ['paused without a session that it could survive: stop it', 'running', paused, { ...fresh, broken: true }, 'stop'],
  ['stopped for that: start it again', 'running', exited, { ...fresh, broken: true }, 'start'],
  ['stopped for its secrets: start it with the others', 'running', exited, { ...present, staleSecrets: true }, 'start'],
  ['paused by somebody: let it go on', 'running', paused, ready, 'unpause'],
  ['paused without session: let it go on first', 'running', paused, present, 'unpause'],
  ['paused, and letting it go on failed just now: wait', 'running', paused, { ...ready, ...later }, 'wait 4000'],
  ['paused with withdrawn secrets: stop it', 'running', paused, { ...ready, staleSecrets: true }, 'stop'],
  ['paused and outdated: it serves until it is replaced', 'running', { ...old, state: 'paused' }, fresh, 'unpause'],
  ['dead: it can never be started again, remove it', 'running', dead, ready, 'remove'],
  ['dead, and removing it failed just now: wait', 'running', dead, { ...ready, ...later }, 'wait 4000'],
  ['dead and outdated: remove it', 'running', { ...old, state: 'dead' }, fresh, 'remove'],
  ['being removed by somebody: wait', 'running', removing, ready, 'wait 1000'],
  ['to be stopped, running: stop', 'stopped', running, ready, 'stop'],
  ['to be stopped, exited: nothing', 'stopped', exited, fresh, 'wait'],
  ['to be stopped, only created: nothing', 'stopped', created, fresh, 'wait'],
  ['to be stopped, nothing there: nothing', 'stopped', undefined, fresh, 'wait'],
  ['to be stopped, outdated: remove', 'stopped', oldExited, fresh, 'remove'],
  ['to be stopped, paused: stop', 'stopped', paused, ready, 'stop'],
  ['to be stopped, dead: remove', 'stopped', dead, fresh, 'remove'],
  ['to be stopped never waits', 'stopped', running, { ...ready, ...later }, 'stop'],
  ['to be deleted, running: stop', 'absent', running, ready, 'stop'],
  ['to be deleted, stopped: remove', 'absent', exited, fresh, 'remove'],
  ['to be deleted, only created: remove', 'absent', created, fresh, 'remove'],
  ['to be deleted, paused: stop', 'absent', paused, ready, 'stop'],
  ['to be deleted, dead: remove', 'absent', dead, fresh, 'remove'],
  ['to be deleted, gone: forget', 'absent', undefined, fresh, 'forget'],
  ['to be deleted never waits', 'absent', exited, { ...fresh, ...later }, 'remove'],
])('%s', (_, desired, container, known, expected) => {
  const step = nextStep({ desired, generation: 2, specHash: 'h' }, container, known, NOW)
  expect(step.do === 'wait' && step.ms !== undefined ? `wait ${step.ms}` : step.do).toBe(expected)
})

test('a container that shall be replaced is stopped, removed and made anew, once', () => {
  const wanted: Wanted = { desired: 'running', generation: 2, specHash: 'h', replace: 'c1' }
  expect(nextStep(wanted, running, ready, NOW).do).toBe('stop')
  expect(nextStep(wanted, exited, ready, NOW).do).toBe('remove')
  expect(nextStep(wanted, undefined, ready, NOW).do).toBe('create')
  expect(nextStep(wanted, { ...running, id: 'c2' }, { ...ready, session: 'c2' }, NOW).do).toBe('wait')
})

test('from any state, carrying out step after step arrives where it was wanted and rests there', () => {
  const containers = fc.option(
    fc.record({
      id: fc.constantFrom('c1', 'c2'),
      generation: fc.integer({ min: 1, max: 2 }),
      specHash: fc.constantFrom('h', 'other'),
      state: fc.constantFrom('created', 'running', 'paused', 'exited', 'dead'),
    }),
    { nil: undefined },
  )
  const wants = fc.record({
    desired: fc.constantFrom('running', 'stopped', 'absent'),
    generation: fc.constant(2),
    specHash: fc.constant('h'),
    replace: fc.constantFrom(undefined, 'c1'),
  })
  fc.assert(
    fc.property(wants, containers, fc.constantFrom('unknown', 'absent', 'present'), (wanted, first, image) => {
      let container = first as ObservedContainer | undefined
      let known: Known = { image, retryAt: 0, checkAt: 9_000 }
      let made = 2
      let forgotten = false
      for (let steps = 0; steps < 12 && !forgotten; steps++) {
        const step = nextStep(wanted, container, known, NOW)
        if (step.do === 'wait') break
        if (step.do === 'find-image') known = { ...known, image: 'absent' }
        if (step.do === 'make-image') known = { ...known, image: 'present' }
        if (step.do === 'create') container = { id: `c${++made}`, generation: 2, specHash: 'h', state: 'created' }
        if (step.do === 'start') container = { ...step.container, state: 'running' }
        if (step.do === 'unpause') container = { ...step.container, state: 'running' }
        if (step.do === 'open') known = { ...known, session: step.container.id }
        if (step.do === 'stop') container = { ...step.container, state: 'exited' }
        if (step.do === 'remove') container = undefined
        if (step.do === 'forget') forgotten = true
      }
      if (wanted.desired === 'absent') expect([container, forgotten]).toEqual([undefined, true])
      if (wanted.desired === 'stopped') expect([undefined, 'created', 'exited']).toContain(container?.state)
      if (wanted.desired === 'running') {
        expect(container).toMatchObject({ state: 'running', generation: 2, specHash: 'h' })
        expect(container?.id).not.toBe(wanted.replace)
        expect(known.session).toBe(container?.id)
      }
    }),
  )
})
