import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Capability, JsonRpcRequest } from '@agentopia/dtma/contract'
import type { Road, RoadAnswer } from './road.ts'

/** What reached a tool. */
interface Seen {
  readonly instanceId: string
  readonly request: JsonRpcRequest
  readonly headers: IncomingMessage['headers']
}

/** A DTMA whose tools behave as badly as their names say. Serves over a real socket. */
export interface FakeDtma extends AsyncDisposable {
  readonly road: Road
  readonly seen: Seen[]
  /** Names of capabilities whose caller went away before the answer. */
  readonly gone: string[]
  /** What `mirror` says, and what a resource holds. */
  say(words: string): void
}

type Args = {
  readonly text?: string
  readonly ms?: number
  readonly bytes?: number
  readonly code?: string
  readonly detail?: string
}
type Act = (exchange: {
  readonly id: number | string
  readonly args: Args
  readonly progressToken: unknown
  readonly inputResponses: unknown
  readonly words: string
  readonly response: ServerResponse
}) => Promise<void> | void

const text = (words: string) => ({ content: [{ type: 'text', text: words }] })
const answer = (id: unknown, result: object) => JSON.stringify({ jsonrpc: '2.0', id, result })
const json = (response: ServerResponse, body: string, status = 200, type = 'application/json') =>
  response.writeHead(status, { 'content-type': type }).end(body)
const event = (message: unknown) => `event: message\ndata: ${JSON.stringify(message)}\n\n`

const ACTS: Readonly<Record<string, Act>> = {
  echo: ({ id, args, response }) => void json(response, answer(id, text(args.text ?? ''))),
  slow: async ({ id, args, response }) => {
    await sleep(args.ms ?? 60_000)
    if (!response.destroyed) json(response, answer(id, text('at last')))
  },
  asks: ({ id, inputResponses, response }) => {
    const form = { method: 'elicitation/create', params: { message: 'sure?', requestedSchema: { type: 'object' } } }
    const question = { resultType: 'input_required', inputRequests: { sure: form }, requestState: 'half way' }
    json(response, answer(id, inputResponses === undefined ? question : text('sure')))
  },
  fails: ({ id, response }) => void json(response, answer(id, { ...text('it went wrong'), isError: true })),
  refuses: ({ id, words, response }) => {
    const message = words === '' ? 'text is missing' : `text is missing: ${words}`
    json(response, JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_602, message } }))
  },
  dies: ({ response }) => void response.destroy(),
  breaks_off: ({ id, response }) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(answer(id, text('half')).slice(0, 30))
    setTimeout(() => response.destroy(), 10)
  },
  ends_early: ({ response }) =>
    void json(response, event({ jsonrpc: '2.0', method: 'notifications/progress' }), 200, 'text/event-stream'),
  answers_another: ({ response }) => void json(response, answer(987_654, text('not yours'))),
  no_json: ({ response }) => void json(response, '<html>'),
  huge: ({ id, args, response }) => void json(response, answer(id, text('x'.repeat(args.bytes ?? 13 << 20)))),
  problem: ({ args, response }) => {
    const document = { type: 'x', title: 'x', status: 500, detail: 'as asked', instance: 'x', fix: 'x' }
    const said = { code: args.code, ...(args.detail === undefined ? {} : { detail: args.detail }) }
    json(response, JSON.stringify({ ...document, ...said, retryable: false }), 500, 'application/problem+json')
  },
  /** Says what it was told to say, in every way that an answer has. */
  mirror: ({ id, words, progressToken, response }) => {
    const content = [
      { type: 'text', text: words },
      { type: 'image', mimeType: 'text/plain', data: Buffer.from(`key: ${words}`).toString('base64') },
    ]
    const structuredContent = { words, [words]: [{ deep: JSON.stringify({ words }) }], count: 12_345_678 }
    const params = { progressToken, progress: 1, message: words }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event({ jsonrpc: '2.0', method: 'notifications/progress', params }))
    response.end(event({ jsonrpc: '2.0', id, result: { content, structuredContent } }))
  },
  talks: async ({ id, args, progressToken, response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const say = (method: string, params: object) => response.write(event({ jsonrpc: '2.0', method, params }))
    for (let progress = 1; progress <= 3; progress += 1) {
      say('notifications/progress', { progressToken, progress, total: 3 })
      await sleep(args.ms ?? 5)
    }
    say('notifications/message', { level: 'info', data: 'half way' })
    say('notifications/tools/list_changed', {})
    response.write(event({ jsonrpc: '2.0', id: 77, method: 'sampling/createMessage', params: {} }))
    const lines = JSON.stringify({ jsonrpc: '2.0', id, result: text('said') }, null, 1).split('\n')
    response.end(`${lines.map((line) => `data: ${line}`).join('\n')}\n\n`)
  },
}

export const FAKE_CAPABILITIES: readonly Capability[] = [...Object.keys(ACTS), 'never_granted'].map((name) => ({
  name,
  description: `Does what its name says: ${name}\u200b`,
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  digest: name,
}))

export async function openFakeDtma(): Promise<FakeDtma> {
  const seen: Seen[] = []
  const gone: string[] = []
  let words = ''
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const message = JSON.parse(Buffer.concat(chunks).toString()) as JsonRpcRequest
    const instanceId = decodeURIComponent(request.url!.split('/')[2]!)
    seen.push({ instanceId, request: message, headers: request.headers })
    const params = message.params as { name: string; arguments: Args; _meta?: object; inputResponses?: unknown }
    const { name, arguments: args, _meta, inputResponses } = params
    response.once('close', () => response.writableFinished || gone.push(name))
    const progressToken = (_meta as { progressToken?: unknown } | undefined)?.progressToken
    if (message.method === 'completion/complete')
      return json(response, answer(message.id, { completion: { values: ['completed'] } }))
    if (message.method === 'resources/read')
      return json(response, answer(message.id, { contents: words === '' ? [] : [{ uri: 'x:1', text: words }] }))
    await ACTS[name]?.({ id: message.id, args, progressToken, inputResponses, words, response })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    seen,
    gone,
    say: (next) => {
      words = next
    },
    road: (_, { method, path, headers, body, signal }) =>
      new Promise<RoadAnswer>((resolve, reject) => {
        send({ host: '127.0.0.1', port, method, path, headers: { ...headers }, signal })
          .on('response', (answered) =>
            resolve({ status: answered.statusCode!, headers: answered.headers, body: answered }),
          )
          .on('error', reject)
          .end(body)
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
