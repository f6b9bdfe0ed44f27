// npm run bench:starts: from a call until its answer, where the agent's own container of the tool does not run: by its MCP endpoint,
// and by Docker's Engine API alone with a container of the same create body. Needs `npm run build`, Docker and DTMA's image.

import { setTimeout as sleep } from 'node:timers/promises'
import {
  addCatalogTool,
  addToolbeltItem,
  createAgent,
  createAgentToken,
  deployTool,
  getCredential,
  grantToolboxAccess,
  putCredential,
  updateToolbeltItem,
} from '@agentopia/api'
import { activeToolbox, containersOf, type Product, startProduct, waitFor } from '@agentopia/e2e/product'
import { attach, create, engine, type Inspected, inspect, type Lines, remove, start } from './engine.ts'
import { openWire, type Wire } from './load.ts'
import { median, medianOfPairs, rounded, type Table } from './report.ts'
import { interleaved, type Run, run } from './run.ts'
import { INITIALIZE, INITIALIZED, MCP_VERSION, SERVER } from './server.ts'

const IDLE_SECONDS = 5
const IDLE_MS = IDLE_SECONDS * 1_000 + 500
/** A container that was stopped rests as long for the Engine alone: memory and processors are as cold for both. */
const SETTLE_MS = 2_000
const READY_MS = 300_000
const SECRET = { name: 'BENCH_KEY', value: 'a-value-that-nobody-uses' }
/** One way to have a call answered from one state. */
interface Start {
  /** Brings the container to the state. */
  prepare(): Promise<unknown>
  /** What is timed. */
  call(): Promise<unknown>
}

/** A tool with a secret: each agent has a container of its own, which rests while the agent does not call. */
async function perAgentTool({ client }: Product) {
  const toolbox = await activeToolbox(client)
  const secrets = [{ key: 'key', title: 'Key', required: true, target: { env: SECRET.name } }]
  await client.call(addCatalogTool, {
    body: {
      id: 'bench',
      title: 'Bench',
      spec: { package: { type: 'npm', ...SERVER }, transport: { type: 'stdio' } },
      secrets,
    },
  })
  const params = { toolboxId: toolbox.id }
  const { id: instanceId } = await client.call(deployTool, { params, body: { toolId: 'bench', name: 'bench' } })
  const { id: agentId } = await client.call(createAgent, { body: { name: 'bench' } })
  await client.call(grantToolboxAccess, { params: { agentId, toolboxId: toolbox.id } })
  const body = { instanceId, allow: ['echo'] }
  const { id: toolbeltItemId } = await client.call(addToolbeltItem, { params: { agentId }, body })
  const item = { agentId, toolbeltItemId }
  await client.call(putCredential, { params: item, body: { values: { key: SECRET.value } } })
  await waitFor('the tool did not start with its secret', READY_MS, async () => {
    const { state, reason } = await client.call(getCredential, { params: item })
    if (state === 'refused') throw new Error(`the tool does not start: ${reason}`)
    return state === 'valid' ? true : undefined
  })
  const { secret, mcpUrl } = await client.call(createAgentToken, { params: { agentId }, body: { name: 'bench' } })
  const headers = { authorization: `Bearer ${secret}`, 'mcp-protocol-version': MCP_VERSION }
  const enable = (enabled: boolean) => client.call(updateToolbeltItem, { params: item, body: { enabled } })
  return {
    toolboxId: toolbox.id,
    tool: `${instanceId}-${agentId}`,
    wire: await openWire({ url: mcpUrl, headers, echo: '' }),
    enable,
  }
}

const echo = (id: number): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"}}}`

/** By the agent's endpoint. */
function byAgentopia({ tool, wire, enable }: { tool: string; wire: Wire; enable: (on: boolean) => Promise<unknown> }) {
  let id = ''
  const gone = () =>
    waitFor('the container did not stop', READY_MS, async () =>
      (await containersOf(tool)).length === 0 ? true : undefined,
    )
  async function rest(): Promise<void> {
    ;[id = id] = await containersOf(tool)
    await enable(false)
    await gone()
    // Until it counts as idle: to be allowed again shall not start it, only a call.
    await sleep(IDLE_MS)
    await enable(true)
    await gone()
    // What follows from the change itself is over, too.
    await sleep(SETTLE_MS)
  }
  async function call(): Promise<void> {
    const { status, body } = await wire.post(echo(1).replace('"echo"', '"bench__echo"'))
    if (status !== 200 || !body.includes('hello')) throw new Error(`answered ${status}: ${body.slice(0, 300)}`)
  }
  return {
    call,
    stopped: { prepare: rest, call },
    cold: {
      call,
      async prepare() {
        await rest()
        await remove(id)
      },
    },
  } satisfies Record<string, unknown>
}

/** By the Engine API alone, the same container: the same body, and the secret by its standard input. */
function byEngine({ Config, HostConfig }: Inspected, { cleanUp }: Run) {
  const body = { ...Config, Labels: {}, HostConfig }
  let id = ''
  let lines: Lines | undefined
  cleanUp(() => remove(id))

  async function made(): Promise<void> {
    id = await create(body)
  }
  async function answered(): Promise<void> {
    lines = await attach(id)
    await start(id)
    lines.send(JSON.stringify({ dtmaSecrets: { env: { [SECRET.name]: SECRET.value }, files: {} } }))
    lines.send(INITIALIZE)
    await lines.heard('"id":0')
    lines.send(INITIALIZED)
    await called()
  }
  async function called(): Promise<void> {
    lines!.send(echo(1))
    const answer = await lines!.heard('"id":1')
    if (!answer.includes('hello')) throw new Error(`answered ${answer.slice(0, 300)}`)
  }
  async function ended(): Promise<void> {
    lines?.close()
    if (id !== '') await remove(id)
  }
  return {
    cold: {
      prepare: ended,
      async call() {
        await made()
        await answered()
      },
    },
    stopped: {
      async prepare() {
        await ended()
        await made()
        await answered()
        lines!.close()
        await engine('POST', `/containers/${id}/stop?t=0`)
        await sleep(IDLE_MS + SETTLE_MS)
      },
      call: answered,
    },
    paused: {
      async prepare() {
        await ended()
        await made()
        await answered()
        await engine('POST', `/containers/${id}/pause`)
      },
      async call() {
        await engine('POST', `/containers/${id}/unpause`)
        await called()
      },
    },
  } satisfies Record<string, Start>
}

await run(7, async (bench) => {
  const product = await startProduct({ AGENT_TOOL_IDLE_SECONDS: String(IDLE_SECONDS) })
  bench.cleanUp(() => product[Symbol.asyncDispose]())
  const tool = await perAgentTool(product)
  bench.cleanUp(() => tool.wire.close())
  const mine = byAgentopia(tool)
  await mine.call()
  const limit = byEngine(await inspect((await containersOf(tool.tool))[0]!), bench)

  const starts: readonly (readonly [string, Start | undefined, Start])[] = [
    ['there is no container', mine.cold, limit.cold],
    ['it is stopped', mine.stopped, limit.stopped],
    ['it is paused', undefined, limit.paused],
  ]
  const each = starts.flatMap(([, ...both]) => both).filter((start) => start !== undefined)
  const found = new Map<Start | undefined, number[]>(each.map((start) => [start, []]))
  await interleaved(bench, each, async (start) => {
    await start.prepare()
    const begun = performance.now()
    await start.call()
    found.get(start)!.push(performance.now() - begun)
  })

  const rows = starts.map(([state, mine, limit]) => {
    const [ours, least] = [found.get(mine), found.get(limit)!]
    return {
      'A call when': state,
      'Agentopia ms': ours ? rounded(median(ours)) : 'does not pause',
      'Engine alone ms': rounded(median(least)),
      'more ms': ours ? rounded(medianOfPairs(ours, least, (a, b) => a - b)) : '',
    }
  })
  const title = `From a call until its answer, medians of ${bench.rounds} rounds; differences within a round`
  return [{ title, rows }] satisfies Table[]
})
