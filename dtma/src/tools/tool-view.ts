import type { ToolStatus } from '../contract/tool.ts'
import type { SecretValues } from '../contract/tool-secret.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import type { AcceptedTool } from './spec-file.ts'
import type { McpInfo } from './tool-sessions.ts'

/** @param image How people know the image; absent: its id will do. */
export function containerStatusOf(
  { Id, Image, State }: ContainerDetails,
  image = Image,
): NonNullable<ToolStatus['container']> {
  const hasExited = State.Status === 'exited' || State.Status === 'dead'
  return {
    id: Id,
    image,
    ...(State.StartedAt.startsWith('0001') || State.StartedAt === '' ? {} : { startedAt: State.StartedAt }),
    ...(hasExited ? { exitCode: State.ExitCode, oomKilled: State.OOMKilled } : {}),
  }
}

/** @param acceptedDigest Of this generation; absent: nothing was noted yet. */
export const mcpStatusOf = (
  { protocolVersion, server, digest, capabilities }: McpInfo,
  acceptedDigest: string | undefined,
): NonNullable<ToolStatus['mcp']> => ({
  protocolVersion,
  server: { name: server.name, version: server.version },
  capabilityDigest: digest,
  ...(acceptedDigest === undefined ? {} : { acceptedDigest }),
  capabilityCount: capabilities.length,
})

/** @param isRunning Whether the container runs: only then are the secrets that it was started with in use. */
export function secretsStatusOf(
  { secretsVersion }: Pick<AcceptedTool, 'secretsVersion'>,
  held: SecretValues | 'withdrawn' | undefined,
  isRunning: boolean,
): NonNullable<ToolStatus['secrets']> {
  return {
    ...(held === undefined || held === 'withdrawn' ? {} : { held: held.version }),
    ...(isRunning && secretsVersion !== undefined ? { used: secretsVersion } : {}),
  }
}
