import { ChangeHint, OPERATIONS } from '@agentopia/api'
import { expect, test } from 'vitest'
import { readsAfter } from './invalidation.ts'

test('a hint makes old what speaks of its noun, and nothing else', () => {
  expect(readsAfter([{ noun: 'activity' }])).toEqual(new Set(['listActivity', 'listSessions', 'listPasskeys']))
  expect(readsAfter([{ noun: 'instance', id: 'inst_0' }])).toContain('listToolboxes')
  expect(readsAfter([{ noun: 'call' }])).not.toContain('listToolboxes')
})

test('hints add up, and one about everything swallows the rest', () => {
  expect(readsAfter([{ noun: 'activity' }, { noun: 'toolbelt' }])).toContain('listToolbelt')
  expect(readsAfter([{ noun: 'activity' }, { noun: 'everything' }])).toBe('everything')
})

test('every read of the contract that can change is made old by some hint', () => {
  const nouns = ChangeHint.shape.noun.options.filter((noun) => noun !== 'everything')
  const covered = readsAfter(nouns.map((noun) => ({ noun })))
  // A verification is asked for, and too dear to follow each call, as a diagnosis is; each look at a payload is on record. The page
  // follows logs.
  const still = [
    'listCatalog',
    'getCatalogTool',
    'getInfo',
    'describeAuthorization',
    'readToolboxStatus',
    'verifyCalls',
    'diagnoseToolbox',
    'getCallPayload',
    'readInstanceLogs',
  ]
  const reads = OPERATIONS.filter((op) => op.method === 'GET' && 'reply' in op && !still.includes(op.id))
  for (const { id } of reads) expect(covered, id).toContain(id)
})
