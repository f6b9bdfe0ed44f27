import type * as z from 'zod/v4/core'
import { parse } from 'zod/v4/core'
import type { Input, Operation, Reply } from './operation.ts'
import { ProblemDocument, ProblemError } from './problem.ts'

/** Anything shaped like `fetch`: the network, a tunnel, or an app's own `request` in tests. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

export interface ClientOptions {
  /** Origin, without a trailing slash. */
  readonly baseUrl: string
  /** Sent as a bearer token when present. */
  readonly token?: string
  readonly fetch?: Fetch
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

export interface Client {
  /**
   * Calls an operation and returns its parsed reply.
   * @throws {ProblemError} With the server's code; `no-problem-document` when the answer is none of ours.
   */
  call<Op extends Operation>(op: Op, input: Input<Op>, options?: CallOptions): Promise<Reply<Op>>
  /** The same, but returns the raw response of a success: for streams and pass-through. */
  open<Op extends Operation>(op: Op, input: Input<Op>, options?: CallOptions): Promise<Response>
}

export function createClient({ baseUrl, token, fetch = globalThis.fetch }: ClientOptions): Client {
  async function open<Op extends Operation>(op: Op, input: Input<Op>, options: CallOptions = {}): Promise<Response> {
    const { params, query, body } = input as { params?: object; query?: object; body?: unknown }
    const response = await fetch(baseUrl + pathOf(op.path, params) + queryOf(query), {
      method: op.method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
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

async function problemOf(response: Response, what: string): Promise<ProblemError> {
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
