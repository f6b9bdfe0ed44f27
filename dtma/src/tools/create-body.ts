import type { ToolSpec } from '../contract/tool.ts'
import { PROXY_PORT } from '../egress/gateway.script.ts'
import type { CreateBody, EngineInfo, HostConfig, ImageDetails, VolumeMount } from '../engine/docker.types.ts'
import { NOTHING_GRANTED, NOTHING_HEARD } from './nothing-granted.ts'
import { SECRETS_ENTRYPOINT } from './npm-secrets.script.ts'
import { OCI_SECRETS_ENTRYPOINT } from './oci-secrets.script.ts'
import { PYPI_SECRETS_ENTRYPOINT } from './pypi-secrets.script.ts'
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
const EXEC_TMPFS = 'rw,exec,nosuid,nodev'

/**
 * The container of a tool, made from nothing: the validated spec, constants, and of the image only its command, directory and
 * the paths and labels that must be neutralised. This is the only place where the body of a tool is made.
 */
export function createBody(input: ContainerInput): CreateBody {
  const { name, generation, spec, owner, claim, image } = input
  return {
    ...NOTHING_HEARD,
    Image: image.Id,
    Hostname: 'tool',
    User: TOOL_USER,
    Env: Object.entries({ HOME: '/tmp', ...proxyOf(spec), ...spec.env }).map(([key, value]) => `${key}=${value}`),
    Entrypoint: spec.secrets ? secretsEntrypointOf(spec, image) : image.Config.Entrypoint,
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
    StopSignal: 'SIGTERM',
    StopTimeout: STOP_GRACE_SECONDS,
    OpenStdin: spec.transport.type === 'stdio' || spec.secrets !== undefined,
    HostConfig: hostConfigOf(input),
  }
}

function secretsEntrypointOf({ package: { type } }: ToolSpec, image: ImageDetails): readonly string[] {
  if (type === 'oci') return [...OCI_SECRETS_ENTRYPOINT, ...image.Config.Entrypoint]
  return type === 'pypi' ? PYPI_SECRETS_ENTRYPOINT : SECRETS_ENTRYPOINT
}

/**
 * How the container is connected. `none`: no network at all. `isolated`: a network of its own, with DTMA's gateway as the
 * only neighbour.
 */
export const networkOf = ({ transport, egress }: ToolSpec): 'none' | 'isolated' =>
  transport.type === 'stdio' && egress === 'none' ? 'none' : 'isolated'

/** Name of the gateway on every network of a tool. */
export const GATEWAY_HOST = 'dtma-gateway'

/** A tool that may reach any host asks the gateway for each; Node's own clients look at these only when told to. */
function proxyOf({ egress }: ToolSpec): Readonly<Record<string, string>> {
  if (egress !== 'any') return {}
  const proxy = `http://${GATEWAY_HOST}:${PROXY_PORT}`
  const local = 'localhost,127.0.0.1'
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: local,
    no_proxy: local,
    NODE_USE_ENV_PROXY: '1',
  }
}

function hostConfigOf({ name, spec, image, engine }: ContainerInput): HostConfig {
  const { memoryMib, cpus, pids } = spec.resources
  return {
    ...NOTHING_GRANTED,
    NetworkMode: networkOf(spec) === 'none' ? 'none' : resourceNameOf(name),
    SecurityOpt: ['no-new-privileges:true', ...appArmor(engine.SecurityOptions)],
    Tmpfs: {
      ...volumesAsTmpfs(image.Config.Volumes, spec.state?.path),
      '/tmp': `${spec.profiles.includes('exec-tmp') ? EXEC_TMPFS : TMPFS},size=64m,mode=1777`,
    },
    ShmSize: (spec.profiles.includes('browser') ? 256 : 16) * MIB,
    Memory: memoryMib * MIB,
    MemorySwap: memoryMib * MIB,
    NanoCpus: Math.round(Math.min(cpus, engine.NCPU) * 1e9),
    PidsLimit: pids,
    Ulimits: [
      { Name: 'nofile', Soft: 1024, Hard: 1024 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    OomScoreAdj: 500,
    LogConfig: { Type: 'local', Config: { 'max-size': '5m', 'max-file': '2' } },
    Mounts: spec.state ? [stateMount(name, spec.state.path)] : [],
    ...(networkOf(spec) === 'none' ? { Dns: [], DnsOptions: [] } : NAMES_ON_THE_NETWORK),
    Sysctls: {},
  }
}

/**
 * Nobody answers at this address: Docker's own resolver knows the names on the network, and asks nobody else. Other names it
 * leaves without an answer, and so they shall not be waited for.
 */
export const NAMES_ON_THE_NETWORK = { Dns: ['127.0.0.1'], DnsOptions: ['timeout:1', 'attempts:1'] }

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

/**
 * The volume is as it was given to the tool: what an image has at the path is not copied onto it, for Docker would bring along
 * its owner.
 */
export const stateMount = (name: string, path: string): VolumeMount => ({
  Type: 'volume',
  Source: resourceNameOf(name),
  Target: path,
  ReadOnly: false,
  VolumeOptions: { NoCopy: true },
})

/** Only where the kernel has it: elsewhere Docker refuses the option. */
const appArmor = (securityOptions: readonly string[]): string[] =>
  securityOptions.some((option) => option.includes('name=apparmor')) ? ['apparmor=docker-default'] : []
