import { headerValueOf, META_KEY, MODERN } from '@agentopia/dtma/contract'

/** One tool as it is listed. */
export interface Listed {
  readonly name: string
  readonly inputSchema: { readonly properties?: Readonly<Record<string, { readonly type?: string }>> }
}
type Result = Readonly<Record<string, unknown>>
interface Form {
  readonly requestedSchema: { readonly properties: Readonly<Record<string, { readonly default?: unknown }>> }
}

/** An agent of the modern revision at one endpoint, without a library in between. */
export interface Agent {
  /** @throws {Error} for an error of JSON-RPC. */
  ask(method: string, params?: object): Promise<Result>
  /** Fills every form with its defaults, and answers whatever else is asked with nothing. */
  call(name: string, args: object): Promise<Result>
}

export function agentAt(url: string, secret: string): Agent {
  let id = 0

  async function ask(method: string, params: { readonly name?: string; readonly uri?: string } = {}): Promise<Result> {
    const name = params.name ?? params.uri
    const _meta = {
      [META_KEY.protocolVersion]: MODERN,
      [META_KEY.clientCapabilities]: { elicitation: { form: {} } },
    }
    id += 1
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json',
        'mcp-protocol-version': MODERN,
        'mcp-method': method,
        ...(name === undefined ? {} : { 'mcp-name': headerValueOf(name) }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } }),
    })
    const { result, error } = (await answer.json()) as { result?: Result; error?: { message: string } }
    if (!result) throw new Error(`${method} ${name ?? ''}: ${error?.message}`)
    return result
  }

  return {
    ask,
    async call(name, args) {
      let result = await ask('tools/call', { name, arguments: args } as object)
      while (result['resultType'] === 'input_required') {
        const { inputRequests = {}, requestState } = result as { inputRequests?: object; requestState?: string }
        const inputResponses = Object.fromEntries(
          Object.entries(inputRequests).map(([key, { method, params }]) => [
            key,
            method === 'elicitation/create' ? { action: 'accept', content: defaultsOf(params as Form) } : {},
          ]),
        )
        const state = requestState === undefined ? {} : { requestState }
        result = await ask('tools/call', { name, arguments: args, inputResponses, ...state } as object)
      }
      return result
    },
  }
}

const defaultsOf = ({ requestedSchema }: Form): object =>
  Object.fromEntries(Object.entries(requestedSchema.properties).map(([key, property]) => [key, property.default]))

/** What a tool takes, as far as its schema says. @param object What it gets where it wants an object. */
export const argumentsFor = ({ inputSchema }: Listed, object: object): object =>
  Object.fromEntries(
    Object.entries(inputSchema.properties ?? {}).map(([key, { type }]) => [
      key,
      type === 'object' ? object : type === 'number' || type === 'integer' ? 5 : type === 'boolean' ? true : 'x',
    ]),
  )
