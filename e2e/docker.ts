import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const LIMIT_MS = 60_000
const execute = promisify(execFile)

/** Runs Docker's own client, as an operator does. @returns What it printed, trimmed. @throws When it fails. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await execute('docker', args, { timeout: LIMIT_MS, maxBuffer: 16 * 1024 * 1024 })
  return stdout.trim()
}

/** The container in which DTMA of a local toolbox runs. */
export const dtmaContainerOf = (toolboxId: string): string => `agentopia-dtma-${toolboxId}`

/** Ids of the running containers of a tool instance. */
export async function containersOf(instanceId: string): Promise<string[]> {
  const ids = await docker('ps', '--quiet', '--no-trunc', '--filter', `label=dtma.instance=${instanceId}`)
  return ids.split('\n').filter(Boolean)
}

/** Kills the first process of a container from outside, as a crash would: Docker does not take it for a wish. */
export async function crash(container: string): Promise<void> {
  process.kill(await pidOf(container), 'SIGKILL')
}

/** The first process of a container, as the machine knows it. */
export async function pidOf(container: string): Promise<number> {
  return Number(await docker('inspect', '--format', '{{.State.Pid}}', container))
}
