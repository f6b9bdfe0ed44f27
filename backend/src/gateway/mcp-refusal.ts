import type { JsonRpcId } from '@agentopia/dtma/contract'

/** Why a request is not served at all; becomes an HTTP status and a JSON-RPC error. */
export class McpRefusal extends Error {
  override readonly name = 'McpRefusal'
  readonly status: number
  readonly code: number
  readonly id: JsonRpcId | null
  readonly data: Readonly<Record<string, unknown>> | undefined

  constructor(
    status: number,
    code: number,
    message: string,
    { id = null, data }: { readonly id?: JsonRpcId | null; readonly data?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.id = id
    this.data = data
  }
}
