import type { JsonRpcNotification } from '@agentopia/dtma/contract'
import { expect, test } from 'vitest'
import type { OwnTool, ToolAddress } from '../credentials/agent-belt.ts'
import { withoutOwnSecrets } from './guarded-upstream.ts'
import { createOwnSecretFinder } from './own-secret.ts'
import type { SecretHolder } from './own-secrets.ts'

const SECRET = 'the-secret-of-the-agent'
const own: OwnTool = {
  accountId: 'account_1',
  toolboxId: 'toolbox_1',
  instanceId: 'inst_1',
  instanceName: 'demo',
  agentId: 'agent_1',
  secretsVersion: 'cred_1.3',
}

const TOOLBOX = {
  id: 'toolbox_1',
  accountId: 'account_1',
  backendToDtmaApiKey: null,
  direct: null,
  publicIpAddress: null,
  publicKey: null,
}

/** Asks a server that has the secret on its tongue. */
async function asked(change: Partial<ToolAddress>) {
  const holders: SecretHolder[] = []
  const said: JsonRpcNotification[] = []
  const result = { prompts: [{ name: 'p', description: `key ${SECRET}` }] }
  const call = withoutOwnSecrets(
    async ({ onNotification }) => {
      onNotification?.({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: `x:${SECRET}` } })
      return { answer: { result }, written: JSON.stringify({ jsonrpc: '2.0', id: 7, result }) }
    },
    async (holder) => {
      holders.push(holder)
      return createOwnSecretFinder([SECRET])
    },
  )
  const toolbox: ToolAddress = { ...TOOLBOX, ...change }
  const signal = new AbortController().signal
  const onNotification = (notification: JsonRpcNotification) => void said.push(notification)
  const reply = await call({ toolbox, instanceId: 'inst_1', id: 7, request: '', timeoutMs: 1, signal, onNotification })
  return { text: JSON.stringify([reply, said]), id: (JSON.parse(reply.written) as { id: number }).id, holders }
}

test('M10 lists and news of an agent’s own container hold nothing of its secrets', async () => {
  const { text, id, holders } = await asked({ own })
  expect(text).not.toContain(SECRET)
  expect(text).toContain('[redacted: own-secret]')
  expect(id).toBe(7)
  expect(holders).toEqual([{ accountId: 'account_1', agentId: 'agent_1', versions: 'cred_1.3' }])
})

test('a shared container has none, and what it says passes as it is', async () => {
  const { text, holders } = await asked({})
  expect(text).toContain(SECRET)
  expect(holders).toEqual([])
})
