import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Move, nextMove, PROVE_MS, type Slot, type UpdateFacts } from './next-move.ts'
import type { Proof, UpdateJournal } from './update.journal.ts'

const running: Slot = { state: 'running', restarts: 0 }
const stopped: Slot = { state: 'stopped', restarts: 0 }
const proven: Proof = { attempt: 'a', heard: true, docker: true, isolation: true }
const LATE = PROVE_MS + 1

test.each<[string, Omit<UpdateFacts, 'waitedMs'> & { waitedMs?: number }, Partial<Move>]>([
  ['the new one is made while the old one works', { phase: 'switching', old: running }, { kind: 'make-next' }],
  ['then the old one makes room', { phase: 'switching', old: running, next: stopped }, { kind: 'stop-old' }],
  ['then the new one starts', { phase: 'switching', old: stopped, next: stopped }, { kind: 'start-next' }],
  ['and has to prove itself', { phase: 'switching', old: stopped, next: running }, { kind: 'enter', phase: 'proving' }],
  [
    'half a proof is waited for',
    { phase: 'proving', old: stopped, next: running, proof: { ...proven, heard: false } },
    { kind: 'wait' },
  ],
  [
    'a whole proof counts',
    { phase: 'proving', old: stopped, next: running, proof: proven },
    { kind: 'enter', phase: 'accepted' },
  ],
  [
    'but not that of a process that has ended since',
    { phase: 'proving', old: stopped, next: { state: 'restarting', restarts: 1 }, proof: proven },
    { kind: 'wait' },
  ],
  [
    'an old one that the machine brought back makes room again',
    { phase: 'proving', old: running, next: running, proof: proven },
    { kind: 'stop-old' },
  ],
  [
    'the old one goes when the new one has proven itself',
    { phase: 'accepted', old: stopped, next: running },
    { kind: 'remove-old' },
  ],
  [
    'but not for one that somebody has removed since',
    { phase: 'accepted', old: stopped },
    { kind: 'fall-back', reason: 'does_not_start' },
  ],
  ['which is the end', { phase: 'accepted', next: running }, { kind: 'finish', phase: 'done' }],
  [
    'a new one that ends again and again',
    { phase: 'proving', old: stopped, next: { state: 'restarting', restarts: 3 } },
    { kind: 'fall-back', reason: 'crash_loop' },
  ],
  [
    'a new one that says nothing',
    { phase: 'proving', old: stopped, next: running, waitedMs: LATE },
    { kind: 'fall-back', reason: 'does_not_start' },
  ],
  [
    'a new one that nobody hears',
    { phase: 'proving', old: stopped, next: running, proof: { ...proven, heard: false }, waitedMs: LATE },
    { kind: 'fall-back', reason: 'no_heartbeat' },
  ],
  [
    'a new one without Docker',
    { phase: 'proving', old: stopped, next: running, proof: { ...proven, docker: false }, waitedMs: LATE },
    { kind: 'fall-back', reason: 'docker_unreachable' },
  ],
  [
    'a new one that cannot keep tools apart',
    { phase: 'proving', old: stopped, next: running, proof: { ...proven, isolation: false }, waitedMs: LATE },
    { kind: 'fall-back', reason: 'isolation_unproven' },
  ],
  [
    'the new one goes before the old one is back: both want the state',
    { phase: 'falling_back', old: stopped, next: running },
    { kind: 'remove-next' },
  ],
  ['then the old one starts', { phase: 'falling_back', old: stopped }, { kind: 'start-old' }],
  ['which is the end, too', { phase: 'falling_back', old: running }, { kind: 'finish', phase: 'fell_back' }],
  [
    'nothing to go back to: the new one stays',
    { phase: 'falling_back', next: running },
    { kind: 'enter', phase: 'accepted' },
  ],
  ['what is loading is not the switcher’s', { phase: 'loading', old: running }, { kind: 'leave' }],
  ['nor is what is over', { phase: 'done', next: running }, { kind: 'leave' }],
])('%s', (_, facts, move) => expect(nextMove({ waitedMs: 0, ...facts })).toMatchObject(move))

/** What happens to a machine while it is updated. */
const EVENTS = ['kill old', 'kill next', 'kill the switcher', 'reboot', 'proof', 'time', 'nothing'] as const
type Event = (typeof EVENTS)[number]

/** A machine with Docker: what a move does to it, and what the world does. */
function machine(isGood: boolean) {
  let phase: UpdateJournal['phase'] = 'switching'
  let old: Slot | undefined = running
  let next: Slot | undefined
  let proof: Proof | undefined
  let waitedMs = 0
  const started = (slot: Slot | undefined): Slot | undefined =>
    slot &&
    (isGood || slot === old ? { ...slot, state: 'running' } : { state: 'restarting', restarts: slot.restarts + 1 })

  function happens(event: Event): void {
    if (event === 'kill old' && old?.state === 'running') old = started(old)
    if (event === 'kill next' && next && next.state !== 'stopped')
      next = started({ ...next, restarts: next.restarts + 1 })
    if (event === 'kill the switcher') waitedMs = 0
    // Docker starts everything again that is to be kept running, what was stopped by hand too.
    if (event === 'reboot') [old, next, waitedMs] = [old && { ...old, state: 'running' }, started(next), 0]
    if (event === 'proof' && isGood && next?.state === 'running') proof = proven
    if (event === 'time') waitedMs += PROVE_MS / 2
  }

  function step(): Move {
    const facts = { phase, waitedMs, ...(old ? { old } : {}), ...(next ? { next } : {}), ...(proof ? { proof } : {}) }
    const move = nextMove(facts)
    if (move.kind === 'make-next') next = stopped
    if (move.kind === 'stop-old') old = { ...old!, state: 'stopped' }
    if (move.kind === 'start-next') next = started(next)
    if (move.kind === 'start-old') old = { ...old!, state: 'running' }
    if (move.kind === 'remove-old') old = undefined
    if (move.kind === 'remove-next') next = undefined
    if (move.kind === 'enter' || move.kind === 'finish') phase = move.phase
    if (move.kind === 'fall-back') phase = 'falling_back'
    return move
  }

  return { happens, step, left: () => [old, next].filter((slot) => slot !== undefined), phase: () => phase }
}

test.each([true, false])(
  'U03 whatever happens meanwhile, exactly one is left in the end (a good release: %s)',
  (isGood) => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (events) => {
        const world = machine(isGood)
        for (const event of events) {
          world.happens(event)
          world.step()
          expect(world.left().length).toBeGreaterThan(0)
        }
        for (let n = 0; n < 400 && !['done', 'fell_back'].includes(world.phase()); n++) {
          world.happens(isGood ? 'proof' : 'time')
          world.step()
        }
        expect(['done', 'fell_back']).toContain(world.phase())
        expect(world.left()).toHaveLength(1)
        expect(world.left()[0]!.state).not.toBe('stopped')
        if (!isGood) expect(world.phase()).toBe('fell_back')
      }),
      { numRuns: 2_000 },
    )
  },
)
