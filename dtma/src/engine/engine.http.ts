import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { EngineError, faultOfSocket, faultOfStatus } from './engine-error.ts'

/** One request to the engine. `what` names it in errors. */
export interface EngineCall {
  readonly what: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'
  /** Made by {@link pathOf}. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** A stream is sent as a tar archive, anything else as JSON. */
  readonly body?: Readable | object
  /** Of a registry, as {@link registryAuthOf} writes it. */
  readonly registryAuth?: string | undefined
  /** Until the answer's headers, and for JSON until its end; milliseconds. */
  readonly deadlineMs: number
}

/** HTTP to the engine's unix socket. Every method rejects with {@link EngineError}, or with the reason of `signal`. */
export interface EngineHttp {
  json(call: EngineCall, signal: AbortSignal): Promise<unknown>
  /** The raw body; its consumer sets the pace. `signal` destroys it. */
  stream(call: EngineCall, signal: AbortSignal): Promise<IncomingMessage>
  /** The connection itself, after Docker has switched protocols on it. */
  hijack(call: EngineCall, signal: AbortSignal): Promise<Duplex>
  close(): void
}

const MAX_JSON_BYTES = 32 * 1024 * 1024

/** Builds a path from constants and encoded values: ``pathOf`/containers/${id}/start` ``. */
export function pathOf(constants: TemplateStringsArray, ...values: readonly string[]): string {
  return constants.reduce((path, constant, index) => {
    const value = values[index - 1]!
    if (value === '' || value === '.' || value === '..')
      throw new EngineError('invalid', 'A path segment of dots or nothing is no name')
    return path + encodeURIComponent(value) + constant
  })
}

export function createEngineHttp(socketPath: string): EngineHttp {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8 })

  /** Resolves with the response's head, whatever its status. */
  function send(call: EngineCall, signal: AbortSignal, kind: 'pooled' | 'own' | 'hijack'): Promise<Head> {
    const deadline = AbortSignal.timeout(call.deadlineMs)
    const { promise, resolve, reject } = Promise.withResolvers<Head>()
    const options: RequestOptions = {
      socketPath,
      method: call.method,
      path: call.path + queryOf(call.query),
      headers: headersOf(call, kind === 'hijack'),
      agent: kind === 'pooled' ? agent : false,
    }
    const outgoing = request(options)
    const onDeadline = () => outgoing.destroy(deadline.reason)
    const onAbort = () => outgoing.destroy(signal.reason)
    deadline.addEventListener('abort', onDeadline, { once: true })
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()

    /** The deadline of a stream ends with its head; the signal of a hijacked connection too: it lives on. */
    const settled = () => {
      if (kind !== 'pooled') deadline.removeEventListener('abort', onDeadline)
      if (kind === 'hijack') signal.removeEventListener('abort', onAbort)
    }
    outgoing.on('close', () => {
      deadline.removeEventListener('abort', onDeadline)
      signal.removeEventListener('abort', onAbort)
    })

    outgoing.on('response', (response) => {
      settled()
      resolve({ response, deadline })
    })
    outgoing.on('upgrade', (response, socket, head) => {
      settled()
      if (head.length > 0) socket.unshift(head)
      resolve({ response, deadline, socket })
    })
    outgoing.on('error', (error) => {
      settled()
      if (signal.aborted) reject(signal.reason)
      else if (deadline.aborted) reject(new EngineError('hung', `${call.what}: no answer in ${call.deadlineMs} ms`))
      else reject(Object.assign(faultOfSocket(error, call.what), { stale: outgoing.reusedSocket }))
    })
    sendBody(outgoing, call.body)
    return promise
  }

  async function json(call: EngineCall, signal: AbortSignal): Promise<unknown> {
    const head = await send(call, signal, 'pooled').catch((error: unknown) => {
      // An idle connection that Docker closed just now. All our calls may be repeated: they name what they act on.
      if (error instanceof EngineError && 'stale' in error && error.stale) return send(call, signal, 'pooled')
      throw error
    })
    const text = await textOf(head, call, signal)
    const { response } = head
    if (response.statusCode === undefined || response.statusCode >= 400) throw answerOf(response, text, call)
    if (text === '' || response.statusCode === 304) return undefined
    try {
      return JSON.parse(text)
    } catch (error) {
      // `/_ping` and a few others answer in plain text.
      if (!response.headers['content-type']?.includes('json')) return text
      throw new EngineError('failed', `${call.what}: the answer is no JSON`, { cause: error })
    }
  }

  return {
    json,
    async stream(call, signal) {
      const head = await send(call, signal, 'own')
      if (head.response.statusCode !== undefined && head.response.statusCode < 400) return head.response
      throw answerOf(head.response, await textOf(head, call, signal), call)
    },
    async hijack(call, signal) {
      const head = await send(call, signal, 'hijack')
      if (head.socket) return head.socket
      throw answerOf(head.response, await textOf(head, call, signal), call)
    },
    close: () => agent.destroy(),
  }
}

interface Head {
  readonly response: IncomingMessage
  readonly deadline: AbortSignal
  /** Present after a switch of protocols. */
  readonly socket?: Duplex
}

function headersOf({ body, registryAuth }: EngineCall, hijack: boolean): Record<string, string> {
  const type = body === undefined ? {} : { 'content-type': isStream(body) ? 'application/x-tar' : 'application/json' }
  const auth = registryAuth === undefined ? {} : { 'x-registry-auth': registryAuth }
  return { host: 'docker', ...type, ...auth, ...(hijack ? { connection: 'Upgrade', upgrade: 'tcp' } : {}) }
}

function sendBody(outgoing: ClientRequest, body: Readable | object | undefined): void {
  if (body === undefined) outgoing.end()
  else if (isStream(body)) {
    body.on('error', (error) => outgoing.destroy(error))
    body.pipe(outgoing)
  } else outgoing.end(JSON.stringify(body))
}

const isStream = (body: Readable | object): body is Readable => 'pipe' in body

function queryOf(query: EngineCall['query'] = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
  return search.size === 0 ? '' : `?${search}`
}

async function textOf({ response, deadline }: Head, call: EngineCall, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length
      if (bytes > MAX_JSON_BYTES) throw new EngineError('failed', `${call.what}: the answer is larger than 32 MiB`)
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof EngineError) throw error
    if (deadline.aborted) throw new EngineError('hung', `${call.what}: the answer did not end in ${call.deadlineMs} ms`)
    throw faultOfSocket(error, call.what)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function answerOf(response: IncomingMessage, text: string, call: EngineCall): EngineError {
  let message = text.trim()
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) message = String(parsed.message)
  } catch {
    // The engine, or a proxy before it, answered in plain text: that is the message.
  }
  return faultOfStatus(response.statusCode ?? 0, message.slice(0, 2_000), call.what)
}
