import type { BindMount, CreateBody } from '../engine/docker.types.ts'
import { TOOL_USER } from '../tools/create-body.ts'
import { NOTHING_GRANTED, NOTHING_HEARD } from '../tools/nothing-granted.ts'
import { LABEL } from '../tools/tool-labels.ts'

export interface ScriptContainer {
  /** Id of an image with Node. */
  readonly image: string
  readonly owner: string
  /** Name of its first network; `host` for that of the machine. */
  readonly network: string
  /** Program for `node -e`. */
  readonly script: string
  readonly memoryMib?: number
  /** Absent: those that Docker gives to containers. */
  readonly nameServers?: readonly string[] | undefined
  readonly mounts?: readonly BindMount[]
  /** AppArmor's profile, where the engine has it. */
  readonly securityOptions?: readonly string[]
}

const MIB = 1024 * 1024

/** A container of DTMA's own that runs a program of ours: as bounded as a tool, without a disk and without a log. */
export function scriptContainer(input: ScriptContainer): CreateBody {
  const memory = (input.memoryMib ?? 128) * MIB
  return {
    ...NOTHING_HEARD,
    Image: input.image,
    Hostname: 'dtma',
    User: TOOL_USER,
    Env: ['HOME=/tmp', 'NODE_ENV=production'],
    Entrypoint: ['node', '--max-semi-space-size=1', '--max-old-space-size=64'],
    Cmd: ['-e', input.script],
    WorkingDir: '/',
    Labels: { [LABEL.owner]: input.owner },
    StopSignal: 'SIGKILL',
    StopTimeout: 1,
    OpenStdin: true,
    HostConfig: {
      ...NOTHING_GRANTED,
      NetworkMode: input.network,
      SecurityOpt: ['no-new-privileges:true', ...(input.securityOptions ?? [])],
      Tmpfs: {},
      ShmSize: MIB,
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: 1e9,
      PidsLimit: 32,
      Ulimits: [
        { Name: 'nofile', Soft: 16_384, Hard: 16_384 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      OomScoreAdj: 0,
      // What it prints is for DTMA, or for nobody.
      LogConfig: { Type: 'none', Config: {} },
      Mounts: input.mounts ?? [],
      Dns: input.nameServers ?? [],
      DnsOptions: [],
      // It stands in many networks and must not become a road between them.
      Sysctls: input.network === 'host' ? {} : { 'net.ipv4.ip_forward': '0' },
    },
  }
}
