import { expect, test } from 'vitest'
import { connectSnippets } from './connect-snippets.ts'

const connection = { name: 'mail-reader', url: 'https://tools.example.com/mcp', secret: 'agt_abc-DEF_123' }
const textOf = (client: string, change = {}) =>
  connectSnippets({ ...connection, ...change }).find((snippet) => snippet.client === client)!.text

test('every client gets the address and the token', () => {
  const snippets = connectSnippets(connection)
  expect(snippets.map(({ client }) => client)).toEqual([
    'claude-code',
    'claude-desktop',
    'cursor',
    'vscode',
    'mcp.json',
    'typescript',
    'curl',
  ])
  for (const { text } of snippets) {
    expect(text).toContain(connection.url)
    expect(text).toContain(`Bearer ${connection.secret}`)
  }
})

test('what is JSON is JSON, with one server named after the agent', () => {
  for (const { language, text } of connectSnippets(connection)) {
    if (language !== 'json') continue
    const config = JSON.parse(text) as Record<string, object>
    expect(Object.keys(config['mcpServers'] ?? config['servers']!)).toEqual(['agentopia-mail-reader'])
  }
})

test('in what goes to a shell the token stands in quotes', () => {
  expect(textOf('claude-code')).toContain('"Authorization: Bearer agt_abc-DEF_123"')
  expect(textOf('curl')).toContain("'Authorization: Bearer agt_abc-DEF_123'")
})

test('plain HTTP is allowed where there is nothing else', () => {
  expect(textOf('claude-desktop')).not.toContain('--allow-http')
  expect(textOf('claude-desktop', { url: 'http://localhost:3000/mcp' })).toContain('--allow-http')
})
