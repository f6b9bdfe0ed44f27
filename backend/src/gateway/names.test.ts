import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gatewayNameOf, promptNameOf, promptPlaceOf, resourcePlaceOf, resourceUriOf } from './names.ts'

const instanceName = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)

test('an ordinary name is the instance, two underscores, the capability', () => {
  expect(gatewayNameOf('mail', 'read_message')).toBe('mail__read_message')
})

test('every client takes every name: at most 64 letters, digits, underscores and hyphens', () => {
  fc.assert(
    fc.property(instanceName, fc.string({ maxLength: 300, unit: 'binary' }), (instance, capability) => {
      expect(gatewayNameOf(instance, capability)).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
    }),
  )
})

test('a name is the same each time, and different capabilities have different names', () => {
  const wanted = fc.tuple(instanceName, fc.string({ maxLength: 100 }))
  fc.assert(
    fc.property(fc.uniqueArray(wanted, { selector: (pair) => pair.join('__'), maxLength: 30 }), (pairs) => {
      const names = pairs.map(([instance, capability]) => gatewayNameOf(instance, capability))
      expect(new Set(names).size).toBe(pairs.length)
      expect(pairs.map(([instance, capability]) => gatewayNameOf(instance, capability))).toEqual(names)
    }),
  )
})

test.each([
  ['x'.repeat(63), 'echo'],
  ['mail', 'files.read'],
  ['mail', 'lösche alles'],
  ['mail', ''],
])('what is shortened keeps its beginning: %s %s', (instance, capability) => {
  expect(gatewayNameOf(instance, capability).startsWith(instance.slice(0, 55))).toBe(true)
})

test('M08 the names of prompts and addresses of resources lead back to where they come from, without having been listed', () => {
  const own = fc.string({ maxLength: 200 })
  fc.assert(
    fc.property(fc.uniqueArray(instanceName, { minLength: 2, maxLength: 5 }), own, (instances, name) => {
      const isName = (instance: string) => instances.includes(instance)
      const place = { instanceName: instances[0], own: name }
      expect(promptPlaceOf(promptNameOf(place), isName)).toEqual(place)
      expect(resourcePlaceOf(resourceUriOf(place), isName)).toEqual(place)
      // What leads to no instance of the toolbelt is the name of the item that has plain ones.
      const plain = { instanceName: undefined, own: promptNameOf(place) }
      expect(promptPlaceOf(plain.own, () => false)).toEqual(plain)
    }),
  )
})
