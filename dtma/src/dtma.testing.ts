/** Parts of DTMA for tests of what is at its other end: the tunnel and the MCP bridge, without a machine. */
export type { HttpReply, HttpRequest } from './http/exchange.ts'
export { listenerOf } from './http/listener.ts'
export { createMcpEndpoint } from './mcp/mcp-endpoint.ts'
export { createMcpBridge } from './mcp/tool-sessions.ts'
export type { McpInfo, ToolTarget } from './tools/tool-sessions.ts'
export { systemClock } from './uplink/clock.ts'
export { runTunnel, type TunnelEnd } from './uplink/tunnel.ts'
