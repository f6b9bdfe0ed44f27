import { ToolSpec } from '../contract/tool.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import { createBody, GATEWAY_HOST } from '../tools/create-body.ts'
import { resourceNameOf } from '../tools/tool-labels.ts'
import { PROXY_PORT } from './gateway.script.ts'
import { type Forbidden, probe } from './probe.script.ts'
import { runToEnd } from './run-script.ts'

export interface ProbeDeps {
  readonly docker: DockerApi
  readonly owner: string
  /** Id of an image with Node. */
  readonly image: (signal: AbortSignal) => Promise<string>
}

export interface Surroundings {
  /** Of this toolbox. */
  readonly machine: readonly string[]
  /** TCP ports of the toolbox that matter most. */
  readonly ports: readonly number[]
  /** Of the network that the probe stands in: where its gateway would be. */
  readonly subnet: string
  /** Addresses on the networks of others: tools, and our gateway. */
  readonly others: readonly string[]
}

const SSH = 22
const DOCKER = 2375
/** Where clouds tell a machine its secrets. */
const METADATA = ['169.254.169.254', '169.254.170.2', '100.100.100.200']
const METADATA_V6 = ['fd00:ec2::254', 'fd20:ce::254', 'fe80::a9fe:a9fe']
const PRIVATE = ['10.0.0.1', '172.16.0.1', '192.168.0.1']
const OUTSIDE = '1.1.1.1'

/** Everything that is tried from where a tool stands. */
export function forbiddenOf({ machine, ports, subnet, others }: Surroundings): Forbidden[] {
  const ofMachine = [...new Set([...ports, SSH, DOCKER])]
  const bridge = subnet.replace(/\.\d+\/\d+$/, '.1')
  const places: (readonly [string, string, readonly number[]])[] = [
    ...METADATA.map((host) => ['metadata', host, [80]] as const),
    ...[...machine, bridge].map((host) => ['toolbox', host, ofMachine] as const),
    ...others.map((host) => ['another tool', host, [PROXY_PORT, 3000]] as const),
    ...PRIVATE.map((host) => ['private', host, [443]] as const),
  ]
  const both = places.flatMap(([what, host, ports]) =>
    ports.flatMap((port) => (['tcp', 'proxy'] as const).map((by) => ({ what, by, host, port }))),
  )
  return [
    ...both,
    ...METADATA_V6.map((host) => ({ what: 'metadata', by: 'tcp', host, port: 80 }) as const),
    { what: 'outside', by: 'tcp', host: OUTSIDE, port: 443 },
    { what: 'outside', by: 'udp', host: OUTSIDE, port: 53 },
    { what: 'outside', by: 'tcp', host: '2606:4700:4700::1111', port: 443 },
    { what: 'foreign name', by: 'name', host: 'example.com', port: 53 },
  ]
}

/** Name of the tool that the probe pretends to be. */
export const probeNameOf = (owner: string): string => `probe-${owner.slice(0, 12)}`

/**
 * Looks at what a tool can reach, from a container of a tool's own profile on its own network, which must be joined with `any`.
 * @returns What it reached and should not have; `undefined`: it could not look.
 */
export async function runProbe(
  { docker, owner, image }: ProbeDeps,
  forbidden: readonly Forbidden[],
  signal: AbortSignal,
): Promise<readonly Forbidden[] | undefined> {
  const base = await docker.inspectImage(await image(signal), signal)
  if (!base) throw new Error('The image of the probe is gone')
  const script = `(${probe})(${JSON.stringify(forbidden)}, ${JSON.stringify(GATEWAY_HOST)}, ${PROXY_PORT})`
  const name = probeNameOf(owner)
  const body = createBody({
    name,
    generation: 1,
    spec: ToolSpec.parse({
      package: { type: 'npm', name: 'probe', version: '1.0.0' },
      transport: { type: 'http', port: PROXY_PORT },
      egress: 'any',
    }),
    owner,
    claim: 'probe',
    image: { ...base, Config: { ...base.Config, Entrypoint: ['node', '-e', script], Cmd: [] } },
    engine: await docker.info(signal),
  })
  const text = await runToEnd(docker, resourceNameOf(name), body, signal)
  return (JSON.parse(text) as readonly Forbidden[] | null) ?? undefined
}
