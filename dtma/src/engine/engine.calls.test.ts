import { expect, test } from 'vitest'
import { apiVersionFor } from './engine.calls.ts'

test.each([
  ['Docker 20.10', { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' }, '1.41'],
  ['Docker 28', { Version: '28.2.2', ApiVersion: '1.50', MinAPIVersion: '1.24' }, '1.41'],
  ['an engine that no longer speaks 1.41', { Version: '29.0.0', ApiVersion: '1.52', MinAPIVersion: '1.44' }, '1.44'],
  ['an engine that names no oldest version', { Version: '27.0.0', ApiVersion: '1.46' }, '1.41'],
])('with %s we speak the oldest dialect that both know', (_, engine, version) => {
  expect(apiVersionFor(engine)).toBe(version)
})

test('an engine before 20.10 is refused', () => {
  expect(() => apiVersionFor({ Version: '19.03.15', ApiVersion: '1.40' })).toThrow('20.10 or later')
})
