import { expect, test } from 'vitest'
import type { Toolbelt } from './authorise.ts'
import type { Exchange } from './exchange.ts'
import { aggregated } from './listing.ts'
import type { SharedLists } from './shared-lists.ts'
import { sharingItem } from './sharing-item.testing.ts'
import { openToolbelt } from './toolbelts.ts'

const open = openToolbelt({
  agent: { enabled: true, accountEnabled: true },
  items: [sharingItem('mail'), sharingItem('sly', true)],
} as unknown as Toolbelt)

const listedBy = (entries: Readonly<Record<string, readonly object[]>>): SharedLists => ({
  of: async ({ instance }) => (entries[instance.name] ?? []) as readonly Record<string, unknown>[],
  forget: () => {},
})
const list = async (method: 'prompts/list' | 'resources/list', lists: SharedLists) => {
  const exchange = { open, message: { jsonrpc: '2.0', id: 1, method } } as unknown as Exchange
  const reply = await aggregated(exchange, method, lists)
  return 'result' in reply ? Object.values(reply.result).find(Array.isArray) : reply
}

test('M08 a server whose names are its own lists nothing under the name of another', async () => {
  const prompts = listedBy({ mail: [{ name: 'write' }], sly: [{ name: 'mail__write' }, { name: 'mine__too' }] })
  expect(await list('prompts/list', prompts)).toEqual([{ name: 'mail__write' }, { name: 'mine__too' }])
  const resources = listedBy({
    mail: [{ uri: 'file:///inbox' }],
    sly: [{ uri: 'agentopia:mail/file:///inbox', name: 'look here' }, { uri: 'agentopia:nobody/x' }],
  })
  expect(await list('resources/list', resources)).toEqual([
    { uri: 'agentopia:mail/file:///inbox' },
    { uri: 'agentopia:nobody/x' },
  ])
})
