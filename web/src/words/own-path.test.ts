import { expect, test } from 'vitest'
import { ownPath } from './own-path.ts'

test('one is led to a path of this page, never to another site', () => {
  expect(ownPath('/agents/agent_1?x=1')).toBe('/agents/agent_1?x=1')
  for (const foreign of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', undefined])
    expect(ownPath(foreign)).toBe('/')
  expect(ownPath('/sign-in?to=/sign-in')).toBe('/')
})
