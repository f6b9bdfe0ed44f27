import { createHash } from 'node:crypto'
import type { Machine } from '../provider.ts'
import type { ContainerDetails } from './docker.ts'

/** Everything that decides what the DTMA container of this machine looks like. */
export interface DtmaRecipe {
  readonly toolboxId: string
  /** `sha256:…` */
  readonly imageId: string
  /** Absolute path of the data directory of this control plane: tells its containers from those of another one. */
  readonly home: string
  /** Absolute path on the machine; holds DTMA's identity and the accepted tool specs. */
  readonly stateDir: string
  readonly socketPath: string
  readonly user: ContainerUser
  readonly apiBaseUrl: string
  /** DTMA's own port. */
  readonly port: number | string
  /** Of this machine; absent: loopback, and more variables of DTMA's environment. */
  readonly listen?: { readonly host: string; readonly more: readonly string[] }
  /** Pins of the control plane's TLS key; see DTMA's CONTROL_PLANE_PIN. */
  readonly keyPin?: string
  /** Where packages come from: more of DTMA's environment. Holds no secret. */
  readonly packages?: Readonly<Record<string, string>>
}

/** As whom DTMA runs: `uid:gid`, and the group that may use Docker's socket when that is another one. */
export interface ContainerUser {
  readonly user: string
  readonly groups: readonly string[]
}

export const LABELS = {
  toolbox: 'agentopia.toolbox',
  image: 'agentopia.image',
  home: 'agentopia.home',
  /** Digest of the create body: another digest means, replace the container. */
  recipe: 'agentopia.recipe',
} as const

const STATE_INSIDE = '/var/lib/dtma'
export const TOKEN_FILE = 'enrolment-token'
const SOCKET_INSIDE = '/var/run/docker.sock'

export const containerName = (toolboxId: string): string => `agentopia-dtma-${toolboxId}`

/** The body of Docker's create call. No secret is in it: the enrolment token travels as a file. */
export function createBody(recipe: DtmaRecipe): { readonly Labels: Readonly<Record<string, string>> } {
  const {
    toolboxId,
    imageId,
    home,
    stateDir,
    socketPath,
    user,
    apiBaseUrl,
    port,
    listen,
    keyPin,
    packages = {},
  } = recipe
  const body = {
    Image: imageId,
    User: user.user,
    Env: [
      `AGENTOPIA_API_BASE_URL=${apiBaseUrl}`,
      `TOOLBOX_ID=${toolboxId}`,
      `HOST=${listen?.host ?? '127.0.0.1'}`,
      `PORT=${port}`,
      ...(listen?.more ?? []),
      `ENROLMENT_TOKEN_FILE=${STATE_INSIDE}/${TOKEN_FILE}`,
      ...(keyPin ? [`CONTROL_PLANE_PIN=${keyPin}`] : []),
      ...Object.entries(packages).map(([name, value]) => `${name}=${value}`),
    ],
    StopTimeout: 20,
    HostConfig: {
      NetworkMode: 'host',
      Binds: [`${socketPath}:${SOCKET_INSIDE}`, `${stateDir}:${STATE_INSIDE}`],
      GroupAdd: user.groups,
      // A first process that obeys SIGTERM also before DTMA listens for it.
      Init: true,
      // Docker brings DTMA back after a crash and a reboot; after `docker stop` it does not.
      RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=64m' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  }
  const labels = { [LABELS.toolbox]: toolboxId, [LABELS.image]: imageId, [LABELS.home]: home }
  const digest = createHash('sha256')
    .update(JSON.stringify([body, labels]))
    .digest('hex')
  return { ...body, Labels: { ...labels, [LABELS.recipe]: digest } }
}

/** A user that may open the socket: the given one, helped by the socket's group; root only when the group may not. */
export function userFor(owner: { uid: number; gid: number }, socket: { gid: number; mode: number }): ContainerUser {
  const groupMay = (socket.mode & 0o060) === 0o060
  return groupMay ? { user: `${owner.uid}:${owner.gid}`, groups: [String(socket.gid)] } : { user: '0:0', groups: [] }
}

/** What Docker says about the container, as a machine. @param recipeDigest Of the present recipe; absent when its image is not there. */
export function machineOf(found: ContainerDetails, recipeDigest: string | undefined): Machine {
  const name = found.Name.replace(/^\//, '')
  const { Status, ExitCode, OOMKilled, StartedAt, FinishedAt } = found.State
  const current = recipeDigest === undefined || found.Config.Labels?.[LABELS.recipe] === recipeDigest
  const common = { ref: name, current }
  const readLog = `Read its log: docker logs ${name}`
  switch (Status) {
    case 'running':
      return {
        ...common,
        state: 'running',
        startedAt: new Date(StartedAt),
        description: `the container ${name} is running since ${StartedAt}`,
        remedy: readLog,
      }
    case 'paused':
      return {
        ...common,
        state: 'paused',
        description: `the container ${name} is paused`,
        remedy: `Resume it: docker unpause ${name}`,
      }
    case 'restarting':
      return {
        ...common,
        state: 'creating',
        description: `the container ${name} is restarting after it ended with code ${ExitCode}`,
        remedy: readLog,
      }
    case 'exited':
    case 'dead': {
      const why = OOMKilled ? ', out of memory' : ''
      return {
        ...common,
        state: 'stopped',
        exit: { code: ExitCode, at: new Date(FinishedAt) },
        description: `the container ${name} exited with code ${ExitCode}${why} at ${FinishedAt}`,
        remedy: `Start it: docker start ${name}`,
      }
    }
    default:
      return { ...common, state: 'creating', description: `the container ${name} is in the state ${Status}` }
  }
}
