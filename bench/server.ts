/** What is called everywhere: the server that the protocol's makers keep for tests. */
export const SERVER = { name: '@modelcontextprotocol/server-everything', version: '2026.8.31' } as const

/** Version of MCP that callers speak. */
export const MCP_VERSION = '2025-11-25'

const clientInfo = { name: 'bench', version: '1' }
const hello = { protocolVersion: MCP_VERSION, capabilities: {}, clientInfo }
export const INITIALIZE = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: hello })
export const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
