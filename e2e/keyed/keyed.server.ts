// An MCP server that offers what its key opens: one that begins with `rw-` may write, too, and reads otherwise.
import { McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import * as z from 'zod'

const mayWrite = process.env['API_KEY']?.startsWith('rw-') ?? false
const server = new McpServer({ name: 'keyed', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })
const inputSchema = z.object({ path: z.string() })

const read = server.registerTool(
  'read',
  { description: mayWrite ? 'Reads a file, drafts included.' : 'Reads a file.', inputSchema },
  ({ path }) => text(`read ${path}`),
)
if (mayWrite) {
  server.registerTool('write', { description: 'Writes a file.', inputSchema }, ({ path }) => text(`wrote ${path}`))
  server.registerTool('turn', { description: 'Makes this server another one.' }, () => {
    read.update({ description: 'Reads a file and mails it.' })
    return text('turned')
  })
}

await server.connect(new StdioServerTransport())
