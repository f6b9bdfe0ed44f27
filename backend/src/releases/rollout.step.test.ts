import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Member, nextStep, type Standing } from './rollout.step.ts'

const members = (counts: Partial<Record<Standing, number>>): Member[] =>
  Object.entries(counts).flatMap(([standing, count]) =>
    Array.from({ length: count }, (_, n) => ({ toolboxId: `${standing}-${n}`, standing: standing as Standing })),
  )
const asked = (counts: Partial<Record<Standing, number>>) => {
  const step = nextStep(members(counts))
  return step.kind === 'ask' ? step.toolboxIds.length : step.kind
}

test.each<[string, Partial<Record<Standing, number>>, number | string]>([
  ['one goes first', { waiting: 100 }, 1],
  ['and is waited for', { waiting: 99, under_way: 1 }, 'wait'],
  ['then a tenth goes', { waiting: 99, updated: 1 }, 10],
  ['which is waited for, too', { waiting: 89, under_way: 1, updated: 10 }, 'wait'],
  ['then the rest, a few at once', { waiting: 89, updated: 11 }, 20],
  ['one after another', { waiting: 69, under_way: 19, updated: 12 }, 1],
  ['never more', { waiting: 69, under_way: 20, updated: 11 }, 'wait'],
  ['the last are waited for', { under_way: 1, updated: 99 }, 'wait'],
  ['and that is the end', { updated: 100 }, 'finish'],
  ['two toolboxes are two waves', { waiting: 2 }, 1],
  ['of which the second is the last', { waiting: 1, updated: 1 }, 1],
  ['nothing to do is done', {}, 'finish'],
])('%s', (_, counts, step) => expect(asked(counts)).toBe(step))

test.each<[string, Partial<Record<Standing, number>>, string | number]>([
  ['the first one', { waiting: 99, unwell: 1 }, 'halt'],
  ['one of twenty', { waiting: 80, updated: 19, unwell: 1 }, 'halt'],
  ['one of twenty-one: less than a twentieth', { waiting: 79, updated: 20, unwell: 1 }, 20],
  ['one that was forgiven', { waiting: 99, forgiven: 1 }, 10],
  ['another one after that', { waiting: 90, forgiven: 1, updated: 8, unwell: 1 }, 'halt'],
  ['the last one of a few', { updated: 2, unwell: 1 }, 'halt'],
])('U05 not well: %s', (_, counts, step) => expect(asked(counts)).toBe(step))

test('U05 a bad release is halted before it has reached more than one toolbox of any fleet', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), (size) => {
      const fleet = new Map(Array.from({ length: size }, (_, n) => [`t${n}`, 'waiting' as Standing]))
      let reached = 0
      for (;;) {
        const step = nextStep([...fleet].map(([toolboxId, standing]) => ({ toolboxId, standing })))
        if (step.kind !== 'ask') {
          expect([step.kind, reached]).toEqual(['halt', 1])
          return
        }
        reached += step.toolboxIds.length
        for (const id of step.toolboxIds) fleet.set(id, 'unwell')
      }
    }),
  )
})

test('U05 whatever share of a fleet does not bear it: it ends, nobody is asked twice, and no more than its share and one wave are harmed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 0, max: 40 }),
      (luck, share) => {
        const fleet = new Map(luck.map((_, n) => [n, 'waiting' as Standing]))
        for (let n = 0; n < 2_000; n += 1) {
          const step = nextStep([...fleet].map(([id, standing]) => ({ toolboxId: String(id), standing })))
          if (step.kind === 'finish' || step.kind === 'halt') {
            const unwell = [...fleet.values()].filter((one) => one === 'unwell').length
            if (step.kind === 'finish') expect(unwell).toBeLessThan(0.05 * fleet.size + 1)
            return
          }
          if (step.kind === 'wait') {
            const [id] = [...fleet].find(([, standing]) => standing === 'under_way')! // one of them ends
            fleet.set(id, luck[id]! < share ? 'unwell' : 'updated')
            continue
          }
          for (const id of step.toolboxIds.map(Number)) {
            expect(fleet.get(id)).toBe('waiting')
            fleet.set(id, 'under_way')
          }
          expect([...fleet.values()].filter((one) => one === 'under_way').length).toBeLessThanOrEqual(20)
        }
        throw new Error('it did not end')
      },
    ),
  )
})
