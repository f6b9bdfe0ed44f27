/** DTMA for tests of what is at its other end: as a process of its own, and the tunnel and the MCP bridge without a machine. */

import manifest from '../package.json' with { type: 'json' }

export const DTMA_VERSION = manifest.version
export { type DtmaProcess, dtmaProcess } from './dtma-process.testing.ts'
export { readTable, replaceTable } from './firewall/firewall.rules.ts'
export { NETLINK_SCRIPT } from './firewall/netlink.script.ts'
export { repliesIn } from './firewall/netlink.ts'
export type { HttpReply, HttpRequest } from './http/exchange.ts'
export { serveLane } from './http/lane.ts'
export { type App, listenerOf } from './http/listener.ts'
export { selfSigned, type TlsIdentity } from './http/self-signed.ts'
export { type Port, serve } from './http/serve.ts'
export { fromWeb } from './http/web.testing.ts'
export { createMcpEndpoint } from './mcp/mcp-endpoint.ts'
export { createMcpBridge } from './mcp/tool-sessions.ts'
export { dockerBridgeAddress } from './tools/docker-bridge.testing.ts'
export { PYTHON_SERVER, serverProgram } from './tools/mcp-server.testing.ts'
export { openPythonIndex, type PythonIndex } from './tools/python-index.testing.ts'
export { layerOf, openTestRegistry, savedLayersOf, type TestRegistry } from './tools/registry.testing.ts'
export type { McpInfo, ToolTarget } from './tools/tool-sessions.ts'
export { systemClock } from './uplink/clock.ts'
export { openIdentity } from './uplink/identity.ts'
export { runTunnel, type TunnelEnd } from './uplink/tunnel.ts'
export { createTunnelBeats } from './uplink/tunnel-beats.ts'
export { startUplink, type Uplink, type UplinkDeps } from './uplink/uplink.ts'
