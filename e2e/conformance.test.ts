import { openTestGateway } from '@agentopia/backend/testing'
import { afterEach, expect, test } from 'vitest'
import { type Bridged, openBridged, openFixture, type Speaks, type Transport } from './conformance/bridged.ts'
import { openContained } from './conformance/contained.ts'
import { openFixtureImage } from './conformance/fixture-image.ts'
import { REVISIONS, type Revision, score } from './conformance/suite.ts'
import { openTokenPipe } from './conformance/token-pipe.ts'

// The official suite, through the gateway and DTMA's bridge, against servers made with the official SDK.

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]()
})

const keep = <Each extends AsyncDisposable>(each: Each): Each => {
  opened.push(each)
  return each
}

interface Server {
  readonly name: string
  readonly transport: Transport
  readonly speaks: Speaks
  readonly plainNames: boolean
}

/** An agent with these servers in its toolbelt, all of them allowed. */
async function behindGateway(servers: readonly Server[]) {
  const bridged: Bridged = keep(await openBridged())
  const gateway = await openTestGateway({ road: bridged.road, timeoutMs: 30_000, atOnce: 64, waiting: 64 })
  keep({ [Symbol.asyncDispose]: () => gateway.close() })
  bridged.onChange((name, { capabilities }) => void gateway.discovered(name, capabilities))
  for (const { name, transport, speaks, plainNames } of servers) {
    const added = await gateway.add(name, [], { plainNames, prompts: true, resources: true, capabilities: [] })
    const { capabilities } = await bridged.open(added.instanceId, transport, speaks)
    await gateway.discovered(added.instanceId, capabilities)
    await gateway.allow(added.itemId, [...capabilities.map((capability) => capability.name), 'test_dynamic_tool'])
  }
  return gateway
}

const urlOf = async ({ url, secret }: { url: string; secret: string }, path = '') =>
  keep(await openTokenPipe(`${url}${path}`, secret)).url

const cases = (['stdio', 'http'] as const).flatMap((transport) =>
  (Object.keys(REVISIONS) as Revision[]).map((revision) => ({ transport, revision })),
)

test.each(Object.keys(REVISIONS) as Revision[])(
  'M20 the server by itself, with nothing of ours in between, scores full marks for %s',
  async (revision) => {
    const { passed, failed, warnings } = await score(keep(await openFixture()).url, revision)
    expect({ failed, warnings }).toEqual({ failed: [], warnings: [] })
    expect(passed).toBe(REVISIONS[revision])
  },
)

test.each(cases)('M20 one server over $transport scores full marks for $revision', async ({ transport, revision }) => {
  const gateway = await behindGateway([{ name: 'fixture', transport, speaks: 'both', plainNames: true }])
  const { passed, failed, warnings } = await score(await urlOf(gateway), revision)
  expect({ failed, warnings }).toEqual({ failed: [], warnings: [] })
  expect(passed).toBe(REVISIONS[revision])
})

test.each(cases)('M20 so do two behind one endpoint, $transport, $revision', async ({ transport, revision }) => {
  const other = transport === 'stdio' ? 'http' : 'stdio'
  const gateway = await behindGateway([
    { name: 'first', transport: other, speaks: 'both', plainNames: false },
    { name: 'second', transport, speaks: 'both', plainNames: true },
  ])
  const { passed, failed } = await score(await urlOf(gateway), revision)
  expect(failed).toEqual([])
  expect(passed).toBe(REVISIONS[revision])
})

const others = (['stdio', 'http'] as const).flatMap((transport) =>
  (['legacy', 'modern'] as const).map((speaks) => ({ transport, speaks })),
)

test.each(others)(
  'M06 clients of earlier revisions lose nothing at a server over $transport that is $speaks only',
  async ({ transport, speaks }) => {
    const gateway = await behindGateway([{ name: 'strict', transport, speaks, plainNames: false }])
    const { passed, failed } = await score(await urlOf(gateway, '/strict'), '2025-11-25')
    expect(failed).toEqual([])
    expect(passed).toBe(30)
  },
)

/**
 * What an earlier server cannot give a modern client: the keys of its questions (it has none), a refusal in the words of a
 * revision that it does not know, and other questions to a client that can do less (it was told once what clients can do).
 */
const BEYOND_AN_EARLIER_SERVER = [
  'server-stateless',
  'input-required-result-basic-elicitation',
  'input-required-result-capability-check',
]

test.each(['stdio', 'http'] as const)(
  'M06 modern clients are served by an earlier server over %s',
  async (transport) => {
    const gateway = await behindGateway([{ name: 'strict', transport, speaks: 'legacy', plainNames: false }])
    const { passed, failed } = await score(await urlOf(gateway, '/strict'), '2026-07-28')
    // The last of them depends on which of two questions the server sees answered first.
    expect(BEYOND_AN_EARLIER_SERVER).toEqual(expect.arrayContaining(failed.map((each) => each.split(':', 1)[0])))
    expect(passed).toBeGreaterThanOrEqual(34)
  },
)

test('M20 full marks from containers: DTMA with this machine’s Docker, one server over stdio and one over HTTP', async () => {
  const image = keep(await openFixtureImage())
  const contained = keep(await openContained(image.reference))
  const gateway = await openTestGateway({ road: contained.road, timeoutMs: 30_000, atOnce: 64, waiting: 64 })
  keep({ [Symbol.asyncDispose]: () => gateway.close() })
  for (const transport of ['stdio', 'http'] as const) {
    const added = await gateway.add(transport, [], {
      plainNames: transport === 'stdio',
      prompts: true,
      resources: true,
      capabilities: [],
    })
    const capabilities = await contained.open(added.instanceId, transport)
    await gateway.discovered(added.instanceId, capabilities)
    await gateway.allow(
      added.itemId,
      capabilities.map(({ name }) => name),
    )
  }
  for (const path of ['', '/http'])
    for (const revision of Object.keys(REVISIONS) as Revision[]) {
      const { passed, failed } = await score(await urlOf(gateway, path), revision)
      expect({ path, revision, failed }).toEqual({ path, revision, failed: [] })
      expect(passed).toBe(REVISIONS[revision])
    }
})
