import type { ToolSpec } from '../contract/tool.ts'
import type { CreateBody, EngineInfo, HostConfig, ImageDetails, VolumeMount } from '../engine/docker.types.ts'
import { LABEL, RESERVED_LABEL_PREFIXES, resourceNameOf, specHashOf } from './tool-labels.ts'

/** Everything that decides what the container of a tool is. */
export interface ContainerInput {
  readonly name: string
  readonly generation: number
  /** Validated by the contract's schema. */
  readonly spec: ToolSpec
  readonly owner: string
  readonly claim: string
  readonly image: ImageDetails
  readonly engine: Pick<EngineInfo, 'NCPU' | 'SecurityOptions'>
}

/** The user of every tool; no image and no machine has one of this number. */
export const TOOL_USER = '65532:65532'
/** Seconds between SIGTERM and SIGKILL. */
export const STOP_GRACE_SECONDS = 10

const MIB = 1024 * 1024
const TMPFS = 'rw,noexec,nosuid,nodev'

/**
 * The container of a tool, made from nothing: the validated spec, constants, and of the image only its command, directory and
 * the paths and labels that must be neutralised. This is the only place where a create body is made.
 */
export function createBody(input: ContainerInput): CreateBody {
  const { name, generation, spec, owner, claim, image } = input
  return {
    Image: image.Id,
    Hostname: 'tool',
    User: TOOL_USER,
    Env: Object.entries({ HOME: '/tmp', ...spec.env }).map(([key, value]) => `${key}=${value}`),
    Entrypoint: image.Config.Entrypoint,
    Cmd: spec.args.length > 0 ? spec.args : image.Config.Cmd,
    WorkingDir: image.Config.WorkingDir || '/',
    Labels: {
      ...neutralised(image.Config.Labels),
      [LABEL.owner]: owner,
      [LABEL.claim]: claim,
      [LABEL.instance]: name,
      [LABEL.generation]: String(generation),
      [LABEL.spec]: specHashOf(spec),
    },
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGTERM',
    StopTimeout: STOP_GRACE_SECONDS,
    ExposedPorts: {},
    Volumes: {},
    Tty: false,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    OpenStdin: spec.transport.type === 'stdio',
    StdinOnce: false,
    NetworkDisabled: false,
    HostConfig: hostConfigOf(input),
    NetworkingConfig: {},
  }
}

/** How the container is connected. `none`: no network at all. `internal`: DTMA can reach it, it can reach nothing. */
export function networkOf({ transport, egress }: ToolSpec): 'none' | 'internal' | 'outbound' {
  if (egress === 'any') return 'outbound'
  return transport.type === 'stdio' ? 'none' : 'internal'
}

function hostConfigOf({ name, spec, image, engine }: ContainerInput): HostConfig {
  const { memoryMib, cpus, pids } = spec.resources
  return {
    NetworkMode: networkOf(spec) === 'none' ? 'none' : resourceNameOf(name),
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: [],
    SecurityOpt: ['no-new-privileges:true', ...appArmor(engine.SecurityOptions)],
    Tmpfs: { ...volumesAsTmpfs(image.Config.Volumes, spec.state?.path), '/tmp': `${TMPFS},size=64m,mode=1777` },
    ShmSize: 16 * MIB,
    Memory: memoryMib * MIB,
    MemorySwap: memoryMib * MIB,
    MemoryReservation: 0,
    NanoCpus: Math.round(Math.min(cpus, engine.NCPU) * 1e9),
    PidsLimit: pids,
    Ulimits: [
      { Name: 'nofile', Soft: 1024, Hard: 1024 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    Init: true,
    OomScoreAdj: 500,
    OomKillDisable: false,
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    AutoRemove: false,
    LogConfig: { Type: 'local', Config: { 'max-size': '5m', 'max-file': '2' } },
    PublishAllPorts: false,
    PortBindings: {},
    Binds: [],
    Mounts: spec.state ? [stateMount(name, spec.state.path)] : [],
    Devices: [],
    DeviceRequests: [],
    DeviceCgroupRules: [],
    PidMode: '',
    IpcMode: 'private',
    UTSMode: '',
    UsernsMode: '',
    CgroupnsMode: 'private',
    CgroupParent: '',
    Runtime: '',
    Dns: [],
    DnsOptions: [],
    DnsSearch: [],
    ExtraHosts: [],
    VolumesFrom: [],
    VolumeDriver: '',
    Links: [],
    GroupAdd: [],
    Sysctls: {},
  }
}

/** A label of the image cannot be removed, only overwritten. */
const neutralised = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.keys(labels)
      .filter((key) => RESERVED_LABEL_PREFIXES.some((prefix) => key.startsWith(prefix)))
      .map((key) => [key, '']),
  )

/** Docker makes an anonymous, unbounded volume of each VOLUME of an image, unless something else is mounted on its path. */
const volumesAsTmpfs = (paths: readonly string[], statePath: string | undefined): Record<string, string> =>
  Object.fromEntries(
    paths.filter((path) => path !== statePath).map((path) => [path, `${TMPFS},size=16m,uid=65532,gid=65532`]),
  )

const stateMount = (name: string, path: string): VolumeMount => ({
  Type: 'volume',
  Source: resourceNameOf(name),
  Target: path,
  ReadOnly: false,
})

/** Only where the kernel has it: elsewhere Docker refuses the option. */
const appArmor = (securityOptions: readonly string[]): string[] =>
  securityOptions.some((option) => option.includes('name=apparmor')) ? ['apparmor=docker-default'] : []
