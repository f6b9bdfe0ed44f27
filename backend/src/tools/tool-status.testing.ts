import type { ToolStatus } from '@agentopia/dtma/contract'

/** What DTMA says of a tool that runs and has answered as an MCP server. */
export const runningStatus = (over: Partial<ToolStatus> = {}): ToolStatus => ({
  name: 'inst_0',
  generation: 1,
  desired: 'running',
  state: 'running',
  since: '2026-01-01T00:00:00.000Z',
  restarts: 0,
  mcp: {
    protocolVersion: '2025-11-25',
    server: { name: 's', version: '1' },
    capabilityDigest: 'd1',
    capabilityCount: 1,
  },
  ...over,
})
