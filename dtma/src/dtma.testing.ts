/** Parts of DTMA for tests of what is at its other end: the tunnel and the MCP bridge, without a machine. */

export type { HttpReply, HttpRequest } from './http/exchange.ts'
export { listenerOf } from './http/listener.ts'
export { selfSigned, type TlsIdentity } from './http/self-signed.ts'
export { serve } from './http/serve.ts'
export { createMcpEndpoint } from './mcp/mcp-endpoint.ts'
export { createMcpBridge } from './mcp/tool-sessions.ts'
export type { McpInfo, ToolTarget } from './tools/tool-sessions.ts'
export { systemClock } from './uplink/clock.ts'
export { openIdentity } from './uplink/identity.ts'
export { runTunnel, type TunnelEnd } from './uplink/tunnel.ts'
export { startUplink, type Uplink, type UplinkDeps } from './uplink/uplink.ts'
