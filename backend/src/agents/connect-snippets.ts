import type { ConnectSnippet } from '@agentopia/api'

/** Ready-to-paste configurations of MCP clients, with the secret in them. Decides nothing; renders. */
export function connectSnippets({
  name,
  url,
  secret,
}: {
  readonly name: string
  readonly url: string
  readonly secret: string
}): ConnectSnippet[] {
  const server = `agentopia-${name}`
  const authorization = `Bearer ${secret}`
  const json = (value: unknown) => JSON.stringify(value, null, 2)
  return [
    {
      client: 'mcp.json',
      title: 'mcp.json (Cursor, Claude Desktop, Windsurf and most others)',
      language: 'json',
      text: json({ mcpServers: { [server]: { type: 'http', url, headers: { Authorization: authorization } } } }),
    },
    {
      client: 'claude-code',
      title: 'Claude Code',
      language: 'shell',
      text: `claude mcp add --transport http ${server} ${url} --header "Authorization: ${authorization}"`,
    },
    {
      client: 'vscode',
      title: 'VS Code (.vscode/mcp.json)',
      language: 'json',
      text: json({ servers: { [server]: { type: 'http', url, headers: { Authorization: authorization } } } }),
    },
    {
      client: 'typescript',
      title: 'TypeScript, with the official client',
      language: 'typescript',
      text: [
        "import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'",
        '',
        `const transport = new StreamableHTTPClientTransport(new URL('${url}'), {`,
        `  requestInit: { headers: { Authorization: '${authorization}' } },`,
        '})',
        "const client = new Client({ name: 'my-agent', version: '1.0.0' })",
        'await client.connect(transport)',
        'console.log(await client.listTools())',
      ].join('\n'),
    },
    {
      client: 'curl',
      title: 'curl',
      language: 'shell',
      text: [
        `curl -s ${url} \\`,
        `  -H 'Authorization: ${authorization}' \\`,
        "  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\",
        `  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
      ].join('\n'),
    },
  ]
}
