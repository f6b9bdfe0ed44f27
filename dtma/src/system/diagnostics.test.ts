import { expect, test } from 'vitest'
import { diagnosticsOf, type Looks } from './diagnostics.ts'
import { WELL } from './status.testing.ts'

const looks: Looks = {
  stateFailure: undefined,
  stateDirectory: '/var/lib/dtma',
  runnerFailure: undefined,
  indexes: [{ address: 'https://npm.example', failure: undefined }],
  controlPlane: { address: 'https://cp.example', heard: true },
  now: Date.parse('2026-11-23T00:00:00Z'),
}
const failing = (status = WELL, more: Partial<Looks> = {}) =>
  diagnosticsOf(status, { ...looks, ...more }).filter(({ ok }) => !ok)

test('where all is well, every check says what it has found and none what to do', () => {
  const checks = diagnosticsOf(WELL, looks)
  expect(checks).toHaveLength(10)
  expect(checks.filter(({ ok, fix }) => !ok || fix !== undefined)).toEqual([])
})

const { docker, system, tools } = WELL
const withFirewall = (state: 'missing' | 'unavailable') => ({
  ...docker.isolation!,
  firewall: { state, since: '2026-11-23T00:00:00Z', message: 'its rules were taken away' },
})
test.each([
  ['docker', { ...WELL, docker: { ...docker, state: 'hung' as const, version: undefined, message: 'no answer' } }, {}],
  [
    'docker',
    { ...WELL, docker: { ...docker, confinement: { seccomp: 'none' as const, module: 'none' as const } } },
    {},
  ],
  ['state-directory', WELL, { stateFailure: 'EROFS' }],
  ['disk-space', { ...WELL, system: { ...system, diskUsedBytes: system.diskBytes - 2 ** 29 } }, {}],
  ['memory', { ...WELL, system: { ...system, memoryUsedBytes: system.memoryBytes } }, {}],
  ['clock', WELL, { now: 0 }],
  ['runner-image', WELL, { runnerFailure: 'The runner image is not on this toolbox (x)' }],
  ['package-indexes', WELL, { indexes: [{ address: 'https://npm.example', failure: 'ECONNREFUSED' }] }],
  ['isolation', { ...WELL, docker: { ...docker, isolation: { state: 'failed' as const, leaks: ['metadata'] } } }, {}],
  ['isolation', { ...WELL, docker: { ...docker, isolation: withFirewall('missing') } }, {}],
  ['isolation', { ...WELL, docker: { ...docker, isolation: withFirewall('unavailable') } }, {}],
  ['control-plane', WELL, { controlPlane: { address: 'https://cp.example', heard: false } }],
  ['tools', { ...WELL, tools: [{ ...tools[0]!, state: 'exited' as const, reason: 'crash_loop' as const }] }, {}],
])('trouble with %s fails this check alone, with a way out', (id, status, more) => {
  expect(failing(status as typeof WELL, more)).toEqual([
    { id, ok: false, finding: expect.any(String), fix: expect.any(String) },
  ])
})

test('what Docker puts around tools is told, and only that it filters no system calls is an illness', () => {
  const seen = (seccomp: 'default' | 'other' | 'none', module: 'apparmor' | 'selinux' | 'none') =>
    diagnosticsOf({ ...WELL, docker: { ...docker, confinement: { seccomp, module } } }, looks)[0]!
  expect(seen('default', 'none')).toEqual({
    id: 'docker',
    ok: true,
    finding: 'Docker 28.0.0 answers, filters the system calls of containers, and uses no security module of the kernel',
  })
  expect(seen('other', 'selinux')).toMatchObject({ ok: true, finding: expect.stringContaining('of this machine') })
  expect(seen('none', 'apparmor')).toMatchObject({
    ok: false,
    finding: 'Docker 28.0.0 answers, does not filter the system calls of containers, and uses AppArmor',
    fix: expect.stringContaining('seccomp'),
  })
})

test('a DTMA that shall report to nobody is not ill for it', () => {
  expect(failing(WELL, { controlPlane: undefined })).toEqual([])
})
