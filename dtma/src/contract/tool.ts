import * as z from 'zod/mini'
import { RESERVED_ENV } from './env-name.ts'
import { ToolPackage } from './tool-package.ts'
import { ToolSecrets } from './tool-secret.ts'

/** Name of a tool on its toolbox; the control plane uses the id of the tool instance. Safe in paths, labels and file names. */
export const ToolName = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'lower-case letters, digits, - and _, at most 63'))

const Transport = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('stdio') }),
  z.strictObject({
    type: z.literal('http'),
    /** TCP port inside the container; never published on the machine. */
    port: z.int().check(z.minimum(1), z.maximum(65_535)),
    path: z._default(z.string().check(z.regex(/^\/[A-Za-z0-9._/-]{0,200}$/)), '/mcp'),
  }),
])

const Env = z
  .record(
    z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a variable name')),
    z.string().check(z.maxLength(8_192)),
  )
  .check(z.refine((env) => Object.keys(env).every((key) => !RESERVED_ENV.test(key)), 'names a reserved variable'))

/** A host on the public internet. */
const Destination = z.strictObject({
  host: z
    .string()
    .check(
      z.maxLength(253),
      z.regex(
        /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/,
        'a host name in lower case',
      ),
    ),
  /** TCP. Where several hosts share one, the connection must say which it means: TLS or plain HTTP. */
  port: z._default(z.int().check(z.minimum(1), z.maximum(65_535)), 443),
})

/**
 * What the container may connect to. `none`: nothing. A list: these hosts and ports, by name. `any`: every public host over
 * HTTP and HTTPS, at port 80, 443 or one above 1023, by the proxy that the usual variables name (`HTTPS_PROXY`, …). Never: this toolbox, other tools, private
 * and link-local addresses.
 */
export const Egress = z.union([z.enum(['none', 'any']), z.array(Destination).check(z.minLength(1), z.maxLength(32))])
export type Egress = z.infer<typeof Egress>

/**
 * Beyond strict, each asked for by name. `bigmem`: up to 2,048 MiB. `browser`: up to 1,024 MiB and 256 processes, and shared
 * memory of 256 MiB. `exec-tmp`: programs may be run from /tmp, for packages that unpack native code there.
 */
const Profile = z.enum(['bigmem', 'browser', 'exec-tmp'])
type Profile = z.infer<typeof Profile>

const Spec = z.strictObject({
  package: ToolPackage,
  transport: Transport,
  /** Arguments of the server's own command. */
  args: z._default(z.array(z.string().check(z.maxLength(4_096))).check(z.maxLength(64)), []),
  /** No secrets: the values are visible in `docker inspect`. */
  env: z._default(Env, {}),
  egress: z._default(Egress, 'none'),
  /** A writable volume that survives restarts and updates; absent: nothing is kept. */
  state: z.optional(z.strictObject({ path: z.string().check(z.regex(/^\/[a-z0-9][a-z0-9/_-]{0,100}$/)) })),
  resources: z._default(
    z.strictObject({
      memoryMib: z._default(z.int().check(z.minimum(32), z.maximum(2_048)), 256),
      cpus: z._default(z.number().check(z.minimum(0.1), z.maximum(4)), 1),
      pids: z._default(z.int().check(z.minimum(16), z.maximum(256)), 64),
    }),
    { memoryMib: 256, cpus: 1, pids: 64 },
  ),
  /** What goes beyond the strict profile, by name. */
  profiles: z._default(z.array(Profile).check(z.maxLength(Profile.options.length)), []),
  /** Secrets that the server takes; their values come by `PUT /tools/{name}/secrets`. */
  secrets: z.optional(ToolSecrets),
})

/** What the strict profile allows, and each of those beyond it. */
const MOST_MEMORY_MIB = { strict: 512, bigmem: 2_048, browser: 1_024, 'exec-tmp': 512 } as const
const MOST_PIDS = { strict: 128, bigmem: 128, browser: 256, 'exec-tmp': 128 } as const

type Limits = Readonly<Record<Profile | 'strict', number>>
const most = (limits: Limits, profiles: readonly Profile[]): number =>
  Math.max(limits.strict, ...profiles.map((profile) => limits[profile]))

/** What should run. Closed: an unknown field is refused. The container is built from nothing but this and constants. */
export const ToolSpec = Spec.check(
  z.refine(({ resources, profiles }) => resources.memoryMib <= most(MOST_MEMORY_MIB, profiles), {
    path: ['resources', 'memoryMib'],
    error: `more than ${MOST_MEMORY_MIB.strict} needs the profile bigmem or browser`,
  }),
  z.refine(({ resources, profiles }) => resources.pids <= most(MOST_PIDS, profiles), {
    path: ['resources', 'pids'],
    error: `more than ${MOST_PIDS.strict} needs the profile browser`,
  }),
  z.refine(({ env, secrets = [] }) => !secrets.some((secret) => 'env' in secret && secret.env in env), {
    path: ['secrets'],
    error: 'a secret and a plain variable have one name',
  }),
)
export type ToolSpec = z.infer<typeof ToolSpec>

/** A spec with its place in time. A lower generation than the accepted one is refused. */
export const ToolRequest = z.strictObject({
  generation: z.int().check(z.minimum(1)),
  desired: z._default(z.enum(['running', 'stopped']), 'running'),
  spec: ToolSpec,
})
export type ToolRequest = z.infer<typeof ToolRequest>

export const ToolState = z.enum([
  'none',
  'pulling',
  'building',
  'created',
  'starting',
  'running',
  'unhealthy',
  'stopping',
  'exited',
  'blocked',
  'unknown',
])
export type ToolState = z.infer<typeof ToolState>

/** Why a tool is not simply running. `rolled_back`: it runs, but as the version before; this generation did not work. */
export const ToolReason = z.enum([
  'package_not_found',
  'build_failed',
  'image_not_found',
  'image_auth',
  'image_invalid',
  'registry_unreachable',
  'policy_denied',
  'missing_credential',
  'crash_loop',
  'oom_killed',
  'exited',
  'mcp_handshake_failed',
  'mcp_ping_failed',
  'name_conflict',
  'disk_full',
  'docker_down',
  'docker_hung',
  'toolbox_unreachable',
  'isolation_failed',
  'rolled_back',
  'internal',
])
export type ToolReason = z.infer<typeof ToolReason>

/** What DTMA observes of one tool. */
export const ToolStatus = z.object({
  name: ToolName,
  /** Of the spec that this status speaks about. */
  generation: z.int(),
  desired: z.enum(['running', 'stopped']),
  state: ToolState,
  reason: z.optional(ToolReason),
  /** One sentence for people; never holds a secret. */
  message: z.optional(z.string()),
  /** When `state` last changed, by the toolbox's clock. */
  since: z.iso.datetime(),
  /** While pulling or building: the current step, and how far when that is known (0 to 100). */
  progress: z.optional(z.object({ step: z.string(), percent: z.optional(z.number()) })),
  /** How often DTMA has restarted the container since the spec was accepted. */
  restarts: z.int(),
  container: z.optional(
    z.object({
      id: z.string(),
      image: z.string(),
      startedAt: z.optional(z.iso.datetime()),
      exitCode: z.optional(z.int()),
      oomKilled: z.optional(z.boolean()),
    }),
  ),
  /**
   * Present when the tool takes secrets: which version of their values DTMA holds for the next start, and with which the
   * present container was started. After a restart of DTMA it holds none, and the tool runs on.
   */
  secrets: z.optional(z.object({ held: z.optional(z.string()), used: z.optional(z.string()) })),
  /** Present once `initialize` and `tools/list` were answered. */
  mcp: z.optional(
    z.object({
      protocolVersion: z.string(),
      server: z.object({ name: z.string(), version: z.string() }),
      /** Changes when any capability's name, schema or description does. */
      capabilityDigest: z.string(),
      /** The digest when this generation was first spoken to. Another one than `capabilityDigest`: the server has drifted. */
      acceptedDigest: z.optional(z.string()),
      capabilityCount: z.int(),
    }),
  ),
})
export type ToolStatus = z.infer<typeof ToolStatus>

/** One function that an MCP server offers, as the server describes it. */
export const Capability = z.object({
  name: z.string(),
  title: z.optional(z.string()),
  description: z.optional(z.string()),
  /** JSON Schema of the arguments. */
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.optional(z.record(z.string(), z.unknown())),
  annotations: z.optional(z.record(z.string(), z.unknown())),
  /** SHA-256 over name, description and schemas, canonical JSON; hex. */
  digest: z.string(),
})
export type Capability = z.infer<typeof Capability>

/** One line of a log. `at` is also the resume position (`since`). */
export const LogLine = z.object({ at: z.string(), stream: z.enum(['stdout', 'stderr']), line: z.string() })
export type LogLine = z.infer<typeof LogLine>
