import { expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { changedForCalls } from './changed-for-calls.ts'

test('what was changed is forgotten for calls once it is stored, and nothing is when it was refused', async () => {
  const steps: string[] = []
  const tenant: Store['tenant'] = async (accountId, act) => {
    const result = await act(undefined as never)
    steps.push(`stored for ${accountId}`)
    return result
  }
  const change = changedForCalls({ store: { tenant }, forget: (accountId) => steps.push(`forgot ${accountId}`) })
  expect(await change({ accountId: 'a' }, async () => 'done')).toBe('done')
  expect(steps).toEqual(['stored for a', 'forgot a'])
  await expect(change({ accountId: 'b' }, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(steps).toHaveLength(2)
})
