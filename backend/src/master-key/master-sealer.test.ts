import { expect, test } from 'vitest'
import { createSealer, keyIdOf } from '../store/seal.ts'
import { createMasterSealer } from './master-sealer.ts'
import { newKey } from './sealed.testing.ts'

const [one, other] = [newKey(), newKey()]
const belongsTo = { purpose: 'ssh-key', accountId: 'a', recordId: 'x' } as const

test('what is sealed under a master key that is not given is refused by a problem that names it', () => {
  const sealed = createSealer(other).seal('canary', belongsTo)
  expect(createMasterSealer(one, [other]).open(sealed, belongsTo)).toBe('canary')
  expect(() => createMasterSealer(one).open(sealed, belongsTo)).toThrow(
    expect.objectContaining({
      code: 'master-key-missing',
      message: `It is sealed under the key ${keyIdOf(other)}, not ${keyIdOf(one)}`,
    }),
  )
})

test('what was changed or is another’s is a fault of ours, as before', () => {
  const sealer = createMasterSealer(one)
  const open = () => sealer.open(sealer.seal('canary', belongsTo), { ...belongsTo, recordId: 'y' })
  expect(open).toThrow()
  expect(open).not.toThrow(expect.objectContaining({ code: 'master-key-missing' }))
})
