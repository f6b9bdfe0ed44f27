import type * as z from 'zod/v4/core'
import { parse } from 'zod/v4/core'
import type { Input, Operation, Reply } from './operation.ts'
import { ProblemDocument, ProblemError } from './problem.ts'

/** As much of an answer as a call reads; a `Response` is one. */
export type Answer = Pick<Response, 'ok' | 'status' | 'json'>

export interface FetchInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer> | Blob
  readonly signal?: AbortSignal
}

/** Anything shaped like `fetch`: the network, a tunnel, or an app's own `request` in tests. */
export type Fetch<Answered extends Answer = Response> = (url: string, init?: FetchInit) => Promise<Answered>

export interface ClientOptions<Answered extends Answer = Response> {
  /** Origin, without a trailing slash. */
  readonly baseUrl: string
  /** Sent as a bearer token when present. */
  readonly token?: string
  readonly fetch?: Fetch<Answered>
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes, for an operation that takes a file instead of JSON. */
  readonly upload?: Uint8Array<ArrayBuffer> | Blob
}

export interface Client<Answered extends Answer = Response> {
  /**
   * Calls an operation and returns its parsed reply.
   * @throws {ProblemError} With the server's code; `no-problem-document` when the answer is none of ours.
   */
  call<Op extends Operation>(op: Op, input: Input<Op>, options?: CallOptions): Promise<Reply<Op>>
  /** The same, but returns the raw response of a success: for streams and pass-through. */
  open<Op extends Operation>(op: Op, input: Input<Op>, options?: CallOptions): Promise<Answered>
}

export function createClient(options: ClientOptions): Client
export function createClient<Answered extends Answer>(options: ClientOptions<Answered>): Client<Answered>
export function createClient({ baseUrl, token, fetch = globalThis.fetch }: ClientOptions<Answer>): Client<Answer> {
  async function open<Op extends Operation>(op: Op, input: Input<Op>, options: CallOptions = {}): Promise<Answer> {
    const { params, query, body } = input as { params?: object; query?: object; body?: unknown }
    const response = await fetch(baseUrl + pathOf(op.path, params) + queryOf(query), {
      method: op.method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.upload === undefined ? {} : { 'content-type': 'application/octet-stream' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(options.upload === undefined ? {} : { body: options.upload }),
      ...(options.signal ? { signal: options.signal } : {}),
    })
    if (response.ok) return response
    throw await problemOf(response, `${op.method} ${op.path}`)
  }

  return {
    open,
    async call<Op extends Operation>(op: Op, input: Input<Op>, options?: CallOptions): Promise<Reply<Op>> {
      const response = await open(op, input, options)
      if (!op.reply) return undefined as Reply<Op>
      return parse(op.reply as z.$ZodType, await response.json()) as Reply<Op>
    },
  }
}

const pathOf = (template: string, params: object = {}): string =>
  template.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String((params as Record<string, unknown>)[name])),
  )

function queryOf(query: object = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
  return search.size === 0 ? '' : `?${search}`
}

async function problemOf(response: Answer, what: string): Promise<ProblemError> {
  const parsed = ProblemDocument.safeParse(await response.json().catch(() => undefined))
  if (parsed.success) return ProblemError.fromDocument(parsed.data)
  return new ProblemError(
    'no-problem-document',
    {
      status: response.status,
      title: 'The answer is not one of ours',
      retryable: response.status >= 500,
      fix: 'Check the address: another program may answer there.',
    },
    `${what} answered ${response.status} without a problem document`,
  )
}
