import type { Toolbox } from '@agentopia/api'
import { expect, test } from 'vitest'
import { byUrgency, degradedBy, fleetHeadline, isolationWords, statusWords, toneOfToolbox } from './toolbox-status.ts'

const toolbox = (over: Partial<Toolbox> = {}): Toolbox => ({
  id: 'toolbox_0123456789abcdef',
  name: 'alpha',
  provider: 'local',
  status: 'active',
  statusSince: '2026-11-24T12:00:00Z',
  suspect: false,
  connected: true,
  toolCounts: { running: 1, total: 1 },
  createdAt: '2026-11-24T12:00:00Z',
  ...over,
})

test('an active toolbox is well only while it is heard and its Docker works', () => {
  expect(toneOfToolbox(toolbox())).toBe('ok')
  expect(toneOfToolbox(toolbox({ suspect: true }))).toBe('warn')
  expect(toneOfToolbox(toolbox({ docker: { state: 'hung' } }))).toBe('warn')
  expect(toneOfToolbox(toolbox({ status: 'unresponsive' }))).toBe('bad')
})

test('the words say what the colour says', () => {
  expect(statusWords(toolbox({ status: 'awaiting_heartbeat' }))).toBe('awaiting heartbeat')
  expect(statusWords(toolbox({ suspect: true }))).toBe('active, but silent')
  expect(statusWords(toolbox({ docker: { state: 'down' } }))).toBe('active, Docker down')
})

test('a toolbox whose firewall is missing is degraded, and says what that means', () => {
  const isolation = (state: 'ok' | 'missing' | 'unavailable') => ({
    state: 'ok' as const,
    leaks: [],
    firewall: { state, since: '2026-11-24T12:00:00Z', message: 'its rules were taken away' },
  })
  const docker = { state: 'ok' as const, isolation: isolation('missing') }
  expect(statusWords(toolbox({ docker }))).toBe('active, degraded')
  expect(toneOfToolbox(toolbox({ docker }))).toBe('warn')
  expect(degradedBy(docker)).toMatch(/missing: its rules were taken away.*no tool with a network is started/)
  expect(isolationWords(docker.isolation)).toBe('proven; firewall missing')
  expect(degradedBy({ ...docker, isolation: isolation('ok') })).toBeUndefined()
  expect(degradedBy({ ...docker, isolation: isolation('unavailable') })).toBeUndefined()
})

test('a toolbox whose Docker filters no system calls is degraded; one without AppArmor is not', () => {
  const docker = (seccomp: 'default' | 'none') => ({
    state: 'ok' as const,
    confinement: { seccomp, module: 'none' as const },
  })
  expect(statusWords(toolbox({ docker: docker('none') }))).toBe('active, degraded')
  expect(degradedBy(docker('none'))).toContain('seccomp')
  expect(statusWords(toolbox({ docker: docker('default') }))).toBe('active')
})

test('what needs somebody comes first, then by name', () => {
  const fleet = [toolbox({ name: 'b' }), toolbox({ name: 'a' }), toolbox({ name: 'z', status: 'unresponsive' })]
  expect(fleet.toSorted(byUrgency).map(({ name }) => name)).toEqual(['z', 'a', 'b'])
})

test.each([
  [[], 'No toolbox yet'],
  [[toolbox()], 'alpha is well'],
  [[toolbox(), toolbox({ name: 'beta' })], 'All toolboxes are well'],
  [[toolbox(), toolbox({ name: 'beta', status: 'unresponsive' })], 'beta needs a look'],
  [[toolbox({ suspect: true }), toolbox({ name: 'beta', suspect: true })], '2 toolboxes need a look'],
  [[toolbox(), toolbox({ name: 'beta', status: 'provisioning' })], 'beta is getting ready'],
  [[toolbox({ status: 'deprovisioned' })], 'No toolbox yet'],
])('the headline of a fleet says the worst that is true', (fleet, title) => {
  expect(fleetHeadline(fleet).title).toBe(title)
})
