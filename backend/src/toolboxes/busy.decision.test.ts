import { expect, test } from 'vitest'
import { whyBusy } from './busy.decision.ts'

type Facts = Parameters<typeof whyBusy>[0]
const idle: Facts = {
  name: 'alpha',
  desired: 'present',
  direct: null,
  roadAsked: null,
  roadProgress: null,
  enrolEpoch: 1,
  backendToDtmaApiKey: 'sealed',
  keyRotationAsked: null,
  keyRotationRefusal: null,
  updateAsked: null,
  updateState: null,
  updateRefusal: null,
}
const at = '2026-01-01T00:00:00.000Z'
const asked = { attempt: 'a', askedAt: at } as const
const road = { ...asked, road: 'direct', actor: 'ann' } as const
const update = { attempt: 'a', version: '2.0.0', from: '1.0.0', since: at }

test.each<[string, Partial<Facts>, string | undefined]>([
  ['nothing is done with', {}, undefined],
  ['is to get another road', { roadAsked: road }, 'The road to alpha is being changed'],
  ['has got another road', { roadAsked: road, roadProgress: { attempt: 'a', phase: 'done', at } }, undefined],
  ['is to get other keys', { keyRotationAsked: { ...asked, epoch: 1 } }, 'The keys of alpha are being changed'],
  ['has got other keys', { keyRotationAsked: { ...asked, epoch: 0 } }, undefined],
  ['is to be updated', { updateAsked: { ...asked, version: '2.0.0' } }, 'DTMA of alpha is being updated'],
  ['is being updated', { updateState: { ...update, phase: 'loading' } }, 'DTMA of alpha is being updated'],
  ['was updated', { updateState: { ...update, phase: 'done' } }, undefined],
])('a toolbox that %s', (_, facts, why) => {
  expect(whyBusy({ ...idle, ...facts }, undefined)).toBe(why)
})

test('a droplet that is worked on keeps its toolbox busy', () => {
  expect(whyBusy(idle, { request: { kind: 'resize', size: 's-2vcpu-4gb' } })).toBe(
    'At work on its droplet: resize to s-2vcpu-4gb',
  )
})
