import * as z from 'zod/mini'

/** The parts of the Engine's answers that we read. Unknown fields are dropped; `null` counts as absent. */
const text = z._default(
  z.pipe(
    z.nullish(z.string()),
    z.transform((value) => value ?? ''),
  ),
  '',
)
const strings = z.pipe(
  z.nullish(z.array(z.string())),
  z.transform((value) => value ?? []),
)
const labels = z.pipe(
  z.nullish(z.record(z.string(), z.string())),
  z.transform((value) => value ?? {}),
)
const keys = z.pipe(
  z.nullish(z.record(z.string(), z.unknown())),
  z.transform((value) => Object.keys(value ?? {})),
)

export const EngineVersion = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  MinAPIVersion: z.optional(z.string()),
})
export type EngineVersion = z.infer<typeof EngineVersion>

export const EngineInfo = z.object({
  NCPU: z.int(),
  MemTotal: z.number(),
  SecurityOptions: strings,
  CgroupDriver: text,
  CgroupVersion: text,
  SwapLimit: z._default(z.boolean(), false),
  PidsLimit: z._default(z.boolean(), false),
  OomKillDisable: z._default(z.boolean(), false),
})
export type EngineInfo = z.infer<typeof EngineInfo>

export const ContainerSummary = z.object({ Id: z.string(), Names: strings, State: z.string(), Labels: labels })
export type ContainerSummary = z.infer<typeof ContainerSummary>

export const ContainerDetails = z.object({
  Id: z.string(),
  Name: z.string(),
  /** Id of the image, `sha256:<hex>`. */
  Image: z.string(),
  /** How often Docker has started it again after it had ended. */
  RestartCount: z._default(z.int(), 0),
  State: z.object({
    /** created, running, paused, restarting, removing, exited or dead. */
    Status: z.string(),
    Running: z.boolean(),
    OOMKilled: z._default(z.boolean(), false),
    ExitCode: z._default(z.int(), 0),
    Error: text,
    /** `0001-01-01T00:00:00Z` when it never happened. */
    StartedAt: text,
    FinishedAt: text,
  }),
  /** As the engine understood the create body; compared, never interpreted. */
  Config: z.looseObject({ Labels: labels }),
  HostConfig: z.record(z.string(), z.unknown()),
  Mounts: z.pipe(
    z.nullish(
      z.array(
        z.object({
          Type: z.string(),
          Name: z.optional(z.string()),
          /** Path on the machine; empty where there is none. */
          Source: text,
          Destination: z.string(),
          RW: z.boolean(),
        }),
      ),
    ),
    z.transform((value) => value ?? []),
  ),
  NetworkSettings: z.object({
    Networks: z.pipe(
      z.nullish(z.record(z.string(), z.object({ IPAddress: text, GlobalIPv6Address: text, MacAddress: text }))),
      z.transform((value) => value ?? {}),
    ),
  }),
})
export type ContainerDetails = z.infer<typeof ContainerDetails>

export const ImageDetails = z.object({
  /** `sha256:<hex>` */
  Id: z.string(),
  RepoTags: strings,
  RepoDigests: strings,
  Size: z._default(z.number(), 0),
  Config: z.object({
    Entrypoint: strings,
    Cmd: strings,
    Env: strings,
    WorkingDir: text,
    Labels: labels,
    /** Paths of the image's VOLUME lines. */
    Volumes: keys,
    ExposedPorts: keys,
  }),
})
export type ImageDetails = z.infer<typeof ImageDetails>

export const ImageSummary = z.object({ Id: z.string(), RepoTags: strings })

/** What a registry says of an image. */
export const RegistryImage = z.object({
  Descriptor: z.object({ digest: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)) }),
})

export const NetworkDetails = z.object({
  Id: z.string(),
  Name: z.string(),
  Internal: z._default(z.boolean(), false),
  Labels: labels,
  /** Of the driver. */
  Options: labels,
  IPAM: z._default(
    z.object({
      Config: z.pipe(
        z.nullish(z.array(z.object({ Subnet: text }))),
        z.transform((value) => value ?? []),
      ),
    }),
    { Config: [] },
  ),
  /** The running containers on it, by id; addresses with their prefix length. */
  Containers: z.pipe(
    z.nullish(z.record(z.string(), z.object({ IPv4Address: text }))),
    z.transform((value) => value ?? {}),
  ),
})
export type NetworkDetails = z.infer<typeof NetworkDetails>

export const VolumeDetails = z.object({ Name: z.string(), Labels: labels })
export type VolumeDetails = z.infer<typeof VolumeDetails>

/** One line of the engine's event stream, as far as we ask for it. */
export const EngineEvent = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: labels }),
})
export type EngineEvent = z.infer<typeof EngineEvent>

/** One line of a pull's or a build's progress. */
export const ProgressLine = z.object({
  /** Layer, in a pull. */
  id: z.optional(z.string()),
  status: z.optional(z.string()),
  progressDetail: z.optional(z.object({ current: z.optional(z.number()), total: z.optional(z.number()) })),
  /** Output, in a build. */
  stream: z.optional(z.string()),
  error: z.optional(z.string()),
  /** Carries the id of a built image. */
  aux: z.optional(z.object({ ID: z.optional(z.string()) })),
})
export type ProgressLine = z.infer<typeof ProgressLine>

/** What `POST /containers/create` takes, as far as we use it: every field explicit, none optional, so that none is forgotten. */
export interface CreateBody {
  readonly Image: string
  readonly Hostname: string
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly WorkingDir: string
  readonly Labels: Readonly<Record<string, string>>
  readonly Healthcheck: { readonly Test: readonly ['NONE'] }
  readonly StopSignal: string
  /** Seconds. */
  readonly StopTimeout: number
  readonly ExposedPorts: Readonly<Record<string, never>>
  readonly Volumes: Readonly<Record<string, never>>
  readonly Tty: boolean
  readonly AttachStdin: boolean
  readonly AttachStdout: boolean
  readonly AttachStderr: boolean
  readonly OpenStdin: boolean
  readonly StdinOnce: boolean
  readonly NetworkDisabled: boolean
  readonly HostConfig: HostConfig
  readonly NetworkingConfig: Readonly<Record<string, never>>
}

export interface HostConfig {
  readonly NetworkMode: string
  readonly ReadonlyRootfs: boolean
  readonly Privileged: boolean
  readonly CapDrop: readonly string[]
  readonly CapAdd: readonly string[]
  readonly SecurityOpt: readonly string[]
  readonly Tmpfs: Readonly<Record<string, string>>
  readonly ShmSize: number
  readonly Memory: number
  readonly MemorySwap: number
  readonly MemoryReservation: number
  readonly NanoCpus: number
  readonly PidsLimit: number
  readonly Ulimits: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[]
  readonly Init: boolean
  readonly OomScoreAdj: number
  readonly OomKillDisable: boolean
  readonly RestartPolicy: { readonly Name: 'no'; readonly MaximumRetryCount: 0 }
  readonly AutoRemove: boolean
  readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> }
  readonly PublishAllPorts: boolean
  readonly PortBindings: Readonly<Record<string, never>>
  readonly Binds: readonly string[]
  readonly Mounts: readonly (VolumeMount | BindMount)[]
  readonly Devices: readonly never[]
  readonly DeviceRequests: readonly never[]
  readonly DeviceCgroupRules: readonly string[]
  readonly PidMode: string
  readonly IpcMode: string
  readonly UTSMode: string
  readonly UsernsMode: string
  readonly CgroupnsMode: string
  readonly CgroupParent: string
  readonly Runtime: string
  readonly Dns: readonly string[]
  readonly DnsOptions: readonly string[]
  readonly DnsSearch: readonly string[]
  readonly ExtraHosts: readonly string[]
  readonly VolumesFrom: readonly string[]
  readonly VolumeDriver: string
  readonly Links: readonly string[]
  readonly GroupAdd: readonly string[]
  readonly Sysctls: Readonly<Record<string, string>>
}

/** Of a path on the machine. Never for a tool. */
export interface BindMount {
  readonly Type: 'bind'
  readonly Source: string
  readonly Target: string
  readonly ReadOnly: true
}

export interface VolumeMount {
  readonly Type: 'volume'
  readonly Source: string
  readonly Target: string
  readonly ReadOnly: boolean
  /** Docker would fill an empty volume with what the image has at this path. */
  readonly VolumeOptions: { readonly NoCopy: true }
}

/** DTMA's own container again, with another image: the rest is as Docker has told it. Never for a tool. */
export interface ContainerCopy {
  readonly Image: string
  readonly User: string
  readonly Env: readonly string[]
  /** Absent: the image's. */
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
  /** Seconds; `null`: Docker's own. */
  readonly StopTimeout: number | null
  readonly HostConfig: Readonly<Record<string, unknown>>
}
