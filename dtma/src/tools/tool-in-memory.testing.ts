import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { type Egress, ToolSpec } from '../contract/tool.ts'
import type { ContainerDetails, ImageDetails } from '../engine/docker.types.ts'
import type { EngineError } from '../engine/engine-error.ts'
import { createLog } from '../log.ts'
import type { ObservedContainer } from './next-step.ts'
import type { AcceptedTool } from './spec-file.ts'
import { startToolWorker, type ToolWorkerDeps } from './tool.worker.ts'
import { specHashOf } from './tool-labels.ts'
import { createToolSecrets } from './tool-secrets.ts'
import type { McpInfo } from './tool-sessions.ts'

export const SPEC = ToolSpec.parse({
  package: { type: 'npm', name: 'x', version: '1.0.0' },
  transport: { type: 'stdio' },
})
export const INFO: McpInfo = {
  protocolVersion: '1',
  server: { name: 's', version: '1' },
  capabilities: [],
  digest: 'd',
}

type Container = ObservedContainer & { exits: number; oom: boolean }

/**
 * One tool at work, without Docker: what Docker and the server would do is set in `world`.
 * @param before What an earlier run of DTMA has left, on disk and in Docker.
 */
export function toolInMemory(
  signal: AbortSignal,
  spec = SPEC,
  before?: { readonly tool: AcceptedTool; readonly container: Container },
) {
  let container = before?.container
  let made = 0
  const world = {
    imageThere: true,
    docker: undefined as EngineError | undefined,
    open: async (_signal: AbortSignal): Promise<McpInfo> => INFO,
    check: async (_signal: AbortSignal): Promise<void> => undefined,
    /** How often a session was opened. */
    opened: 0,
    unpause: async (): Promise<void> => undefined,
    unpaused: 0,
    make: async (): Promise<string> => 'image:1',
    create: async (): Promise<void> => undefined,
    permitted: async (): Promise<void> => undefined,
    join: async (): Promise<void> => undefined,
    /** Takes away what the tool has beside its container. */
    takeAway: async (): Promise<void> => undefined,
    /** What the tool's network lets through. */
    route: undefined as Egress | undefined,
    /** That, at each start. */
    startedUnder: [] as (Egress | undefined)[],
    differences: [] as string[],
    /** How often a container was compared with what was asked for. */
    compared: 0,
    /** The limit that Docker shows of it. */
    memory: 1,
    started: 0,
    /** Connections to containers that were not closed. */
    attached: 0,
    events: [] as Parameters<ToolWorkerDeps['journal']['record']>[0][],
    /** What was written to the standard input of each container that was started. */
    stdin: '',
    /** Seconds of grace of the last stop; `undefined`: the usual ones. */
    grace: undefined as number | undefined,
    saved: [] as AcceptedTool[],
    removedImages: [] as string[],
    exit(oom = false) {
      container = { ...container!, state: 'exited', exits: container!.exits + 1, oom }
      worker.wake({ halted: container.id })
    },
    set(state: ObservedContainer['state']) {
      container = { ...container!, state }
    },
    pause() {
      world.set('paused')
      worker.wake({ halted: container!.id })
    },
    container: () => container,
  }
  const detailsOf = ({ id, state, exits, oom }: NonNullable<typeof container>): ContainerDetails => ({
    Id: id,
    Name: '',
    Image: 'sha256:1',
    RestartCount: 0,
    State: {
      Status: state,
      Running: state === 'running',
      OOMKilled: oom,
      ExitCode: oom ? 137 : 1,
      Error: '',
      StartedAt: '',
      FinishedAt: `${exits}`,
    },
    Config: { Labels: {} },
    HostConfig: { Memory: world.memory },
    Mounts: [],
    NetworkSettings: { Networks: {} },
  })
  const secrets = createToolSecrets(() => undefined)
  const deps: ToolWorkerDeps = {
    docker: {
      attachContainer: async () => {
        world.attached++
        return {
          stdin: new PassThrough().on('data', (chunk) => {
            world.stdin += String(chunk)
          }),
          stdout: new PassThrough(),
          stderr: new PassThrough(),
          close: () => void world.attached--,
        }
      },
      unpauseContainer: async () => {
        await world.unpause()
        world.set('running')
        world.unpaused++
      },
      startContainer: async () => {
        container = { ...container!, state: 'running' }
        world.started++
        world.startedUnder.push(world.route)
      },
    },
    files: { owner: 'o', save: async (tool) => void world.saved.push(tool), remove: async () => undefined },
    images: {
      isBuilding: false,
      find: async () => (world.imageThere ? { reference: 'image:1', details: {} as ImageDetails } : undefined),
      make: async () => {
        const reference = await world.make()
        world.imageThere = true
        return reference
      },
      remove: async (reference) => void world.removedImages.push(reference),
    },
    containers: {
      find: async () => {
        if (world.docker) throw world.docker
        return container && { observed: container, details: detailsOf(container) }
      },
      create: async (tool) => {
        await world.create()
        container = {
          id: `c${++made}`,
          generation: tool.generation,
          specHash: specHashOf(tool.spec),
          state: 'created',
          exits: 0,
          oom: false,
        }
        return container.id
      },
      differences: async () => {
        world.compared++
        return world.differences
      },
      stop: async (_id, _signal, grace) => {
        world.grace = grace
        container = { ...container!, state: 'exited', exits: container!.exits + 1 }
      },
      remove: async () => {
        container = undefined
      },
    },
    parts: {
      ensure: async () => undefined,
      permitStart: () => world.permitted(),
      join: async ({ spec }) => {
        await world.join()
        world.route = spec.egress
      },
      roadTo: () => ({ address: '10.0.0.2', connect: async () => new Socket() }),
      remove: () => world.takeAway(),
    },
    sessions: {
      open: (_target, signal) => {
        world.opened++
        return world.open(signal)
      },
      close: () => undefined,
      check: (_name, signal) => world.check(signal),
      onChange: () => undefined,
    },
    secrets,
    now: () => performance.now(),
    date: () => new Date(),
    imageInUse: () => false,
    log: createLog({ level: 'error', write: () => undefined, date: () => new Date() }),
    journal: { record: (event) => void world.events.push(event) },
    onStatus: () => history.push(`${worker?.status.state ?? 'unknown'} ${worker?.status.reason ?? ''}`.trim()),
    onGone: () => undefined,
    signal,
  }
  const history: string[] = []
  const tool: AcceptedTool = before?.tool ?? {
    name: 'mail',
    generation: 1,
    desired: 'running',
    spec,
    claim: 'c',
    restarts: 0,
    images: [],
  }
  let worker: ReturnType<typeof startToolWorker> = undefined as never
  worker = startToolWorker(tool, deps)
  return { world, worker, history, secrets }
}
