import type { ContainerDetails } from '../engine/docker.types.ts'
import { isOutdated } from './next-step.ts'
import type { AcceptedTool } from './spec-file.ts'
import type { ToolMemory } from './tool.memory.ts'
import type { FoundContainer, ToolContainers } from './tool-containers.ts'
import { specHashOf } from './tool-labels.ts'

export interface DriftInput {
  readonly tool: AcceptedTool
  readonly found: FoundContainer | undefined
  readonly memory: ToolMemory
  readonly containers: Pick<ToolContainers, 'differences'>
}

/**
 * What somebody has changed of the container that runs: Docker lets its limits, its name and its networks be changed at any
 * time. Compared closely only when it looks different from the last time.
 * @returns By field; nothing: it is what was asked for, or another one is wanted anyway. @throws {EngineError}
 */
export async function driftOf(
  { tool, found, memory, containers }: DriftInput,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (tool.desired !== 'running' || found?.observed.state !== 'running') return []
  if (isOutdated({ ...tool, specHash: specHashOf(tool.spec) }, found.observed)) return []
  const shape = shapeOf(found.details)
  if (memory.shape === shape) return []
  const differences = await containers.differences(tool, found.details, signal)
  if (differences.length === 0) memory.shape = shape
  return differences
}

const shapeOf = ({ Id, Name, HostConfig, NetworkSettings }: ContainerDetails): string =>
  JSON.stringify([Id, Name, HostConfig, Object.keys(NetworkSettings.Networks)])
