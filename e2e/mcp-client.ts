import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** Connects the official MCP client to an endpoint. Close it after use. */
export async function connectMcp(url: string, token: string): Promise<Client> {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })
  const client = new Client({ name: 'agentopia-e2e', version: '1.0.0' })
  await client.connect(transport)
  return client
}

/** The text of a result's first content block. */
export function textOf(result: { readonly content?: unknown }): string {
  const [first] = Array.isArray(result.content) ? (result.content as { type: string; text?: string }[]) : []
  if (first?.type !== 'text' || first.text === undefined)
    throw new Error(`no text in the result: ${JSON.stringify(result)}`)
  return first.text
}

/** One call by a client of its own. @param agent Whose token it shows, and where. @returns The text of the result. */
export async function callOnce(
  { mcpUrl, token }: { readonly mcpUrl: string; readonly token: string },
  name: string,
  args: Record<string, unknown>,
): Promise<string> {
  const client = await connectMcp(mcpUrl, token)
  try {
    return textOf(await client.callTool({ name, arguments: args }))
  } finally {
    await client.close()
  }
}
