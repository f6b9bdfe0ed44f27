import { setTimeout as sleep } from 'node:timers/promises'
import {
  completable,
  fromJsonSchema,
  McpServer,
  type RegisteredTool,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import * as z from 'zod'
import { registerAsking, requestState } from './fixture.asking.ts'
import { audio, embedded, image, PNG, SCHEMA_2020_12, text } from './fixture.contents.ts'

/** What is the same for every connection to one process of the fixture. */
export interface FixtureState {
  dynamicTool: boolean
  dynamicPrompt: boolean
  readonly servers: Set<ReturnType<typeof createFixture>>
  /** Tells those who listen without a connection of their own. */
  toolsChanged: () => void
  promptsChanged: () => void
}

/** The server that the conformance suite expects to find behind whatever it tests. */
export function createFixture(state: FixtureState) {
  const server = new McpServer(
    { name: 'agentopia-conformance-fixture', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: (sealed, ctx) => requestState.verify(sealed, ctx) },
      instructions: 'A fixture of the conformance tests.',
    },
  )
  registerTools(server, state)
  registerAsking(server)
  registerResources(server)
  registerPrompts(server)
  const dynamic = server.registerTool('test_dynamic_tool', { description: 'Comes and goes' }, () => text('here'))
  const dynamicPrompt = server.registerPrompt('test_dynamic_prompt', { description: 'Comes and goes' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'here' } }],
  }))
  const show = (registered: Pick<RegisteredTool, 'enabled' | 'enable' | 'disable'>, wanted: boolean) => {
    if (registered.enabled !== wanted) wanted ? registered.enable() : registered.disable()
  }
  show(dynamic, state.dynamicTool)
  show(dynamicPrompt, state.dynamicPrompt)
  server.server.setRequestHandler('resources/subscribe', () => ({}))
  server.server.setRequestHandler('resources/unsubscribe', () => ({}))
  return {
    server,
    /** Shows what the state says by now. */
    refresh() {
      show(dynamic, state.dynamicTool)
      show(dynamicPrompt, state.dynamicPrompt)
    },
  }
}

function registerTools(server: McpServer, state: FixtureState): void {
  const changed = () => {
    for (const each of state.servers) each.refresh()
  }
  server.registerTool('test_simple_text', { description: 'Says a simple text' }, () =>
    text('This is a simple text response for testing.'),
  )
  server.registerTool('test_image_content', { description: 'Shows an image' }, () => ({ content: [image] }))
  server.registerTool('test_audio_content', { description: 'Plays a sound' }, () => ({ content: [audio] }))
  server.registerTool('test_embedded_resource', { description: 'Embeds a resource' }, () => ({
    content: [embedded('test://embedded-resource', 'This is an embedded resource content.')],
  }))
  server.registerTool('test_multiple_content_types', { description: 'Mixes kinds of content' }, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      embedded('test://mixed-content-resource', '{"test":"data","value":123}'),
    ],
  }))
  server.registerTool('test_error_handling', { description: 'Always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  server.registerTool('test_tool_with_logging', { description: 'Logs while it works' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'Tool execution started')
    await sleep(50)
    await ctx.mcpReq.log('info', 'Tool processing data')
    await sleep(50)
    await ctx.mcpReq.log('info', 'Tool execution completed')
    return text('Tool with logging executed successfully')
  })
  server.registerTool('test_logging_tool', { description: 'Logs while it works' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'logged')
    return text('logged, if somebody wanted it')
  })
  server.registerTool('test_tool_with_progress', { description: 'Reports its progress' }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
      await sleep(50)
    }
    return text('done')
  })
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(SCHEMA_2020_12 as never) },
    () => text('fine'),
  )
  server.registerTool('test_trigger_tool_change', { description: 'Shows or hides another tool' }, () => {
    state.dynamicTool = !state.dynamicTool
    changed()
    state.toolsChanged()
    return text('changed')
  })
  server.registerTool('test_trigger_prompt_change', { description: 'Shows or hides a prompt' }, () => {
    state.dynamicPrompt = !state.dynamicPrompt
    changed()
    state.promptsChanged()
    return text('changed')
  })
  server.registerTool(
    'test_slow',
    { description: 'Works until it is told to stop', inputSchema: z.object({ ms: z.number() }) },
    async ({ ms }, ctx) => {
      await sleep(ms, undefined, { signal: ctx.mcpReq.signal })
      return text('at last')
    },
  )
}

function registerResources(server: McpServer): void {
  const plain = (name: string, words: string) =>
    server.registerResource(
      name,
      `test://${name}`,
      { description: `The resource ${name}`, mimeType: 'text/plain' },
      (uri) => ({
        contents: [{ uri: uri.href, mimeType: 'text/plain', text: words }],
      }),
    )
  plain('static-text', 'This is the content of the static text resource.')
  plain('watched-resource', 'This one is watched.')
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image', mimeType: 'image/png' },
    (uri) => ({
      contents: [{ uri: uri.href, mimeType: 'image/png', blob: PNG }],
    }),
  )
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined, complete: { id: () => ['1', '2', '3'] } }),
    { description: 'Data by id', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  )
}

function registerPrompts(server: McpServer): void {
  const user = <Content>(content: Content) => ({ role: 'user' as const, content })
  const words = (said: string) => ({ type: 'text' as const, text: said })
  server.registerPrompt('test_simple_prompt', { description: 'A simple prompt' }, () => ({
    messages: [user(words('This is a simple prompt for testing.'))],
  }))
  const argument = (description: string) =>
    completable(z.string().describe(description), (value) =>
      ['test', 'testing', 'paris'].filter((each) => each.startsWith(value)),
    )
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'A prompt with arguments',
      argsSchema: z.object({ arg1: argument('First test argument'), arg2: argument('Second test argument') }),
    },
    ({ arg1, arg2 }) => ({ messages: [user(words(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))] }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A prompt with a resource in it', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        user(embedded(resourceUri, 'Embedded resource content for testing.')),
        user(words('Please process the embedded resource above.')),
      ],
    }),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with an image in it' }, () => ({
    messages: [user(image), user(words('Please analyze the image above.'))],
  }))
}
