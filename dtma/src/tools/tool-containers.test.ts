import { expect, test } from 'vitest'
import { oursAmong } from './tool-containers.ts'

const container = (Id: string, labels: Record<string, string> = {}) => ({
  Id,
  Names: ['/dtma-mail-1'],
  State: 'running',
  Labels: { 'dtma.owner': 'me', 'dtma.claim': 'c', 'dtma.instance': 'mail', ...labels },
})

test('S07: once we know the id of our container, a twin with all of its labels is not ours', () => {
  const twin = container('twin')
  expect(oursAmong([twin, container('real')], { claim: 'c', containerId: 'real' }, 'me')?.Id).toBe('real')
  expect(oursAmong([twin], { claim: 'c', containerId: 'real' }, 'me')).toBeUndefined()
})

test('when we died before noting the id, the claim proves it', () => {
  expect(oursAmong([container('new')], { claim: 'c' }, 'me')?.Id).toBe('new')
  expect(oursAmong([container('x', { 'dtma.claim': 'guessed' })], { claim: 'c' }, 'me')).toBeUndefined()
  expect(oursAmong([container('x', { 'dtma.owner': 'other' })], { claim: 'c' }, 'me')).toBeUndefined()
})

test('when two claim to be it, none is touched', () => {
  expect(() => oursAmong([container('a'), container('b')], { claim: 'c' }, 'me')).toThrow('none is touched')
})
