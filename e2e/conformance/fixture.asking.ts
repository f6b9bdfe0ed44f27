import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import * as z from 'zod'
import { DEFAULTS, ENUMS, text } from './fixture.contents.ts'

/** Seals what goes through the client's hands between two rounds. */
export const requestState = createRequestStateCodec<{ step: number }>({
  key: 'a key of a fixture, thirty-two bytes or more',
})

const asked = (message: string, property: string, type: 'string' | 'boolean' = 'string') =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { [property]: { type } as { type: 'string' } },
      required: [property],
    },
  })
const sampled = (words: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: words } }], maxTokens })

const answers = (ctx: ServerContext) => ctx.mcpReq.inputResponses
const answered = (ctx: ServerContext, key: string): unknown => {
  const view = inputResponse(answers(ctx), key)
  return view.kind === 'missing' ? undefined : answers(ctx)?.[key]
}
/** What the client said it can do: with this request in the modern era, once for all before. */
const clientCan = (server: McpServer, { mcpReq }: ServerContext): Record<string, unknown> => {
  const envelope = mcpReq.envelope as Record<string, unknown> | undefined
  return {
    ...Object(envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? server.server.getClientCapabilities()),
  }
}

/** Tools and a prompt that want something of the client: written once, served in both eras by the SDK. */
export function registerAsking(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the client for a sample', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, ctx) => {
      const given = answered(ctx, 'sample') as { content?: unknown } | undefined
      if (!given) return inputRequired({ inputRequests: { sample: sampled(prompt) } })
      return text(`LLM response: ${JSON.stringify(given.content)}`)
    },
  )
  const eliciting = (name: string, requestedSchema: typeof DEFAULTS | typeof ENUMS) =>
    server.registerTool(name, { description: 'Asks the user' }, (ctx) => {
      const given = answered(ctx, 'form') as { action?: string; content?: unknown } | undefined
      if (!given) {
        const form = inputRequired.elicit({ message: 'Please fill this in', requestedSchema: requestedSchema as never })
        return inputRequired({ inputRequests: { form } })
      }
      return text(`Elicitation completed: action=${given.action}, content=${JSON.stringify(given.content)}`)
    })
  eliciting('test_elicitation_sep1034_defaults', DEFAULTS)
  eliciting('test_elicitation_sep1330_enums', ENUMS)
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: z.object({ message: z.string() }) },
    ({ message }, ctx) => {
      const given = answered(ctx, 'user') as { action?: string; content?: unknown } | undefined
      const property = (description: string) => ({ type: 'string' as const, description })
      const properties = { username: property("User's response"), email: property("User's email address") }
      if (!given)
        return inputRequired({
          inputRequests: {
            user: inputRequired.elicit({
              message,
              requestedSchema: { type: 'object', properties, required: ['username', 'email'] },
            }),
          },
        })
      return text(`User response: ${JSON.stringify(given)}`)
    },
  )

  server.registerTool('test_input_required_result_elicitation', { description: 'Asks for a name' }, (ctx) => {
    const name = acceptedContent<{ name: string }>(answers(ctx), 'user_name')?.name
    if (typeof name === 'string') return text(`Hello, ${name}!`)
    return inputRequired({ inputRequests: { user_name: asked('What is your name?', 'name') } })
  })
  server.registerTool('test_streaming_elicitation', { description: 'Asks for a name' }, (ctx) => {
    const name = acceptedContent<{ name: string }>(answers(ctx), 'user_name')?.name
    if (typeof name === 'string') return text(`Hello, ${name}!`)
    return inputRequired({ inputRequests: { user_name: asked('What is your name?', 'name') } })
  })
  server.registerTool('test_input_required_result_sampling', { description: 'Asks for a sample' }, (ctx) => {
    const given = answered(ctx, 'capital_question')
    if (given) return text(JSON.stringify(given))
    return inputRequired({ inputRequests: { capital_question: sampled('What is the capital of France?') } })
  })
  server.registerTool('test_input_required_result_list_roots', { description: 'Asks for roots' }, (ctx) => {
    const given = answered(ctx, 'client_roots')
    if (given) return text(JSON.stringify(given))
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state'])
    server.registerTool(name, { description: 'Sends a state through the client' }, async (ctx) => {
      const state = ctx.mcpReq.requestState<{ step: number }>()
      if (answered(ctx, 'confirm') && state?.step === 1) return text('state-ok')
      const inputRequests = { confirm: asked('Please confirm', 'ok', 'boolean') }
      return inputRequired({ inputRequests, requestState: await requestState.mint({ step: 1 }) })
    })
  server.registerTool(
    'test_input_required_result_multiple_inputs',
    { description: 'Asks for three things at once' },
    async (ctx) => {
      const given = ['user_name', 'greeting', 'client_roots'].map((key) => answered(ctx, key))
      if (given.every((each) => each !== undefined)) return text(JSON.stringify(given))
      const inputRequests = {
        user_name: asked('What is your name?', 'name'),
        greeting: sampled('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      }
      return inputRequired({ inputRequests, requestState: await requestState.mint({ step: 1 }) })
    },
  )
  server.registerTool('test_input_required_result_multi_round', { description: 'Asks twice' }, async (ctx) => {
    const step = ctx.mcpReq.requestState<{ step: number }>()?.step ?? 0
    if (step === 2 && answered(ctx, 'step2')) return text('both steps done')
    if (step === 1 && answered(ctx, 'step1')) {
      const inputRequests = { step2: asked('Step 2: What is your favorite color?', 'color') }
      return inputRequired({ inputRequests, requestState: await requestState.mint({ step: 2 }) })
    }
    const inputRequests = { step1: asked('Step 1: What is your name?', 'name') }
    return inputRequired({ inputRequests, requestState: await requestState.mint({ step: 1 }) })
  })
  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks for what the client can do' },
    (ctx) => {
      const can = clientCan(server, ctx)
      if (answered(ctx, 'sample') || answered(ctx, 'name')) return text('done')
      return inputRequired({
        inputRequests: {
          ...(can['sampling'] ? { sample: sampled('Say something') } : {}),
          ...(can['elicitation'] ? { name: asked('What is your name?', 'name') } : {}),
        },
      })
    },
  )
  // The SDK itself refuses to ask what the client did not declare.
  server.registerTool('test_missing_capability', { description: 'Needs a client that samples' }, (ctx) =>
    answered(ctx, 'sample')
      ? text('the client can sample')
      : inputRequired({ inputRequests: { sample: sampled('Say something') } }),
  )
  server.registerPrompt('test_input_required_result_prompt', { description: 'A prompt that asks first' }, (ctx) => {
    const context = acceptedContent<{ context: string }>(answers(ctx), 'user_context')?.context
    if (typeof context === 'string')
      return { messages: [{ role: 'user', content: { type: 'text', text: `In the context of ${context}` } }] }
    return inputRequired({ inputRequests: { user_context: asked('What context should the prompt use?', 'context') } })
  })
}
