import { Name } from '@agentopia/api'
import { expect, test } from 'vitest'
import { freeName, nameFrom } from './names.ts'

test('words become a name that the contract accepts', () => {
  for (const words of ['My GitHub!', 'Éclair 2', '--x--', `${'a'.repeat(62)}-b`])
    expect(Name.safeParse(nameFrom(words)).success, words).toBe(true)
  expect(nameFrom('My GitHub!')).toBe('my-github')
  expect(nameFrom('!!!')).toBe('')
})

test('a taken name gets the next number', () => {
  expect(freeName('memory', [])).toBe('memory')
  expect(freeName('memory', ['memory', 'memory-2'])).toBe('memory-3')
})
