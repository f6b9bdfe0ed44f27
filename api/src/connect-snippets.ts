import type { ConnectSnippet } from './agents.ts'

export interface Connection {
  /** Of the agent; what the client calls the connection follows from it. */
  readonly name: string
  readonly url: string
  readonly secret: string
}

/** Ready-to-paste configurations of MCP clients, with the secret in them. Decides nothing; renders. */
export function connectSnippets({ name, url, secret }: Connection): ConnectSnippet[] {
  const server = `agentopia-${name}`
  const authorization = `Bearer ${secret}`
  const headers = { Authorization: authorization }
  const json = (value: unknown) => JSON.stringify(value, null, 2)
  return [
    {
      client: 'claude-code',
      title: 'Claude Code',
      language: 'shell',
      text: `claude mcp add --transport http ${server} ${url} \\\n  --header "Authorization: ${authorization}"`,
    },
    {
      client: 'claude-desktop',
      title: 'Claude Desktop (claude_desktop_config.json)',
      language: 'json',
      // It starts programs only; mcp-remote is the bridge. The header comes by environment: spaces in arguments break on Windows.
      text: json({
        mcpServers: {
          [server]: {
            command: 'npx',
            // biome-ignore lint/suspicious/noTemplateCurlyInString: mcp-remote fills it in
            args: ['-y', 'mcp-remote', url, '--header', 'Authorization:${AGENTOPIA_TOKEN}', ...withoutTls(url)],
            env: { AGENTOPIA_TOKEN: authorization },
          },
        },
      }),
    },
    {
      client: 'cursor',
      title: 'Cursor (~/.cursor/mcp.json)',
      language: 'json',
      text: json({ mcpServers: { [server]: { url, headers } } }),
    },
    {
      client: 'vscode',
      title: 'VS Code (.vscode/mcp.json)',
      language: 'json',
      text: json({ servers: { [server]: { type: 'http', url, headers } } }),
    },
    {
      client: 'mcp.json',
      title: 'Others (mcp.json)',
      language: 'json',
      text: json({ mcpServers: { [server]: { type: 'http', url, headers } } }),
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

/** mcp-remote refuses plain HTTP to other machines unless it is told. */
const withoutTls = (url: string): string[] => (url.startsWith('http:') ? ['--allow-http'] : [])
