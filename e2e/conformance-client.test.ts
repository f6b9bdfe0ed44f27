import { openTestGateway } from '@agentopia/backend/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentAt, argumentsFor, type Listed } from './conformance/agent.ts'
import { type Bridged, openBridged } from './conformance/bridged.ts'
import { type Given, openRelayed } from './conformance/relayed.ts'
import { type Revision, scoreClient } from './conformance/suite.ts'

// The official suite as the server, and what we are to servers as the client: an agent's requests through the gateway and DTMA's bridge.

let bridged: Bridged
let gateway: Awaited<ReturnType<typeof openTestGateway>>
beforeAll(async () => {
  bridged = await openBridged()
  gateway = await openTestGateway({ road: bridged.road, timeoutMs: 30_000 })
})
afterAll(async () => {
  await gateway?.close()
  await bridged?.[Symbol.asyncDispose]()
})

let servers = 0

/**
 * Puts the suite's server into the toolbelt, and does with it what the scenario wants, or else everything that it offers.
 * @param only Names of the tools that the server carries out; absent: all that it lists.
 */
async function useAll({ server, context }: Given, only?: readonly string[]): Promise<void> {
  servers += 1
  const name = `suite-${servers}`
  const added = await gateway.add(name, [], { prompts: true, resources: true, capabilities: [] })
  const { capabilities } = await bridged.connect(added.instanceId, server)
  await gateway.discovered(added.instanceId, capabilities)
  if (capabilities.length > 0)
    await gateway.allow(
      added.itemId,
      capabilities.map((each) => each.name),
    )
  const agent = agentAt(`${gateway.url}/${name}`, gateway.secret)
  await expect.poll(async () => (await agent.ask('tools/list'))['tools']).toHaveLength(capabilities.length)
  const { tools } = (await agent.ask('tools/list')) as unknown as { tools: Listed[] }
  for (const call of context.toolCalls ?? callsOf(tools, only)) await agent.call(call.name, call.arguments)
  const { resources } = (await agent.ask('resources/list')) as unknown as { resources: { uri: string }[] }
  for (const { uri } of resources) await agent.ask('resources/read', { uri })
  const { prompts } = (await agent.ask('prompts/list')) as unknown as { prompts: { name: string }[] }
  for (const prompt of prompts) await agent.ask('prompts/get', { name: prompt.name, arguments: {} })
}

/** A tool that takes an object wants to see how the schema of another one has arrived. */
const callsOf = (tools: readonly Listed[], only: readonly string[] | undefined) =>
  tools
    .filter(({ name }) => only?.includes(name) ?? true)
    .map((tool) => ({
      name: tool.name,
      arguments: argumentsFor(tool, tools.find((other) => other !== tool)?.inputSchema ?? {}),
    }))

const SCENARIOS: readonly { scenario: string; revision: Revision; only?: readonly string[] }[] = [
  { scenario: 'initialize', revision: '2025-11-25' },
  { scenario: 'tools_call', revision: '2025-11-25' },
  { scenario: 'elicitation-sep1034-client-defaults', revision: '2025-11-25' },
  { scenario: 'tools_call', revision: '2026-07-28' },
  { scenario: 'http-standard-headers', revision: '2026-07-28' },
  { scenario: 'http-custom-headers', revision: '2026-07-28' },
  { scenario: 'http-invalid-tool-headers', revision: '2026-07-28' },
  { scenario: 'request-metadata', revision: '2026-07-28' },
  { scenario: 'sep-2322-client-request-state', revision: '2026-07-28' },
  { scenario: 'json-schema-ref-no-deref', revision: '2026-07-28', only: [] },
  { scenario: 'json-schema-2020-12-preservation', revision: '2026-07-28', only: ['json_schema_echo'] },
]

test.each(SCENARIOS)('M20 as a client of servers, $scenario of $revision scores full marks', async (each) => {
  await using relayed = await openRelayed((given) => useAll(given, each.only))
  expect(await scoreClient(relayed.command, each.scenario, each.revision)).toEqual([])
  expect(relayed.failures).toEqual([])
})
