import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DTMA_PORT, type PackageIndexes } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { isSafeIssuer, type SignOnConfig, signOnOf } from './accounts/sign-on.config.ts'
import { parseTrustedProxies, type TrustedProxies } from './http/client-address.ts'
import { isHttpsOrNear } from './http/https-or-near.ts'
import type { DtmaRegistry, DtmaSource } from './install/variants.ts'
import { StartError } from './start-error.ts'
import type { ToolboxLimits } from './toolboxes/toolbox-limits.ts'

const port = z.coerce.number().int().min(0).max(65_535)

/** The page beside the bundle; in the source tree, where the build puts it. */
const builtPage = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/page' : './page', import.meta.url),
)

/**
 * Where packages are taken from. It reaches every toolbox that it is given to, so it holds no password. What is fetched without TLS
 * can be altered on its way by whoever is on it.
 */
const index = z
  .url({ protocol: /^https?$/ })
  .refine((text) => new URL(text).username + new URL(text).password === '', 'must hold no user and no password')
  .refine(isHttpsOrNear, 'must be https, or http at a loopback or private address')
  .optional()

const isMasterKey = (text: string): boolean => Buffer.from(text, 'base64').length === 32

/** The whole environment, in one table. `docs/configuration.md` is printed from it. */
export const Environment = z.object({
  PORT: port.default(3000).describe('TCP port of the control plane; 0 picks a free one.'),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all of them.'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .refine((text) => new URL(text).origin === text.replace(/\/$/, ''), 'must be an origin: scheme, host and port only')
    .optional()
    .describe('Origin under which browsers and toolboxes reach the control plane. Default: http://localhost:<PORT>.'),
  TRUST_PROXY: z
    .string()
    .transform((text, context) => {
      try {
        return parseTrustedProxies(text)
      } catch (error) {
        context.addIssue((error as Error).message)
        return z.NEVER
      }
    })
    .default(0)
    .describe(
      'Proxies before the control plane whose X-Forwarded-For is believed, for limits by address: how many there are, or their addresses and networks, separated by commas.',
    ),
  PUBLIC_KEY_PIN: z
    .string()
    .regex(
      /^sha256\/\/[A-Za-z0-9+/]{43}=(;sha256\/\/[A-Za-z0-9+/]{43}=)*$/,
      'must be sha256//<base64>, several separated by ;',
    )
    .optional()
    .describe(
      'Pins of the TLS key at PUBLIC_URL, present and next, for toolboxes. Absent: they trust the authorities.',
    ),
  MAX_TOOLBOXES: z.coerce.number().int().min(1).max(10_000).default(50).describe('The most toolboxes of one account.'),
  MAX_TOOLBOXES_OF_ALL: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(10_000)
    .describe('The most toolboxes of all accounts together.'),
  DIRECT_ADDRESSES: z
    .enum(['public', 'private'])
    .default('public')
    .describe(
      'What the direct road may lead to. Private: also private networks and loopback, so that operators of accounts can find out what listens there.',
    ),
  DIRECT_PLAIN_HTTP: z
    .enum(['on', 'off'])
    .default('off')
    .describe('Whether the direct road may do without TLS, at private addresses. Keys are readable on the way then.'),
  DIRECT_SOURCES: z
    .string()
    .regex(/^[\da-fA-F.:/]+(?:,[\da-fA-F.:/]+)*$/, 'must be IP addresses or ranges, separated by ,')
    .optional()
    .describe(
      'From where this control plane dials droplets: all that their firewall lets in. Default: the IP address of PUBLIC_URL.',
    ),
  DIGITALOCEAN_API_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://api.digitalocean.com')
    .describe('Origin of DigitalOcean’s API; another one for the emulator.'),
  DATA_DIR: z.string().min(1).default('./data').describe('Directory of everything that is kept; made when absent.'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('A PostgreSQL (15 or later) of your own. Absent: one is run in DATA_DIR.'),
  REPLICA_ADDRESS: z
    .string()
    .regex(/^(?:\[[\da-f:.]+\]|[\w.-]+):\d{1,5}$/i, 'must be host:port')
    .optional()
    .describe(
      'Where other control planes on the same database reach this one, host:port; it listens there for them. Set on each of several, with another value on each.',
    ),
  MASTER_KEY: z
    .string()
    .refine(isMasterKey, 'must be base64 of 32 bytes')
    .optional()
    .describe('Encrypts stored secrets; they open with it alone. Absent: made once, in DATA_DIR/master.key.'),
  OTHER_MASTER_KEY: z
    .string()
    .refine((text) => text.split(',').every(isMasterKey), 'must be base64 of 32 bytes, several separated by ,')
    .optional()
    .describe(
      'Opens stored secrets too, and encrypts none: while MASTER_KEY is changed, the one before or the next one; several are separated by commas.',
    ),
  LOCAL_TOOLBOX: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether this machine becomes the toolbox `local`; needs Docker.'),
  LOCAL_DTMA_PORT: port.default(DTMA_PORT).describe('Port of the local toolbox’s DTMA, on loopback.'),
  DTMA_IMAGE: z
    .string()
    .min(1)
    .default('agentopia-dtma:latest')
    .describe('Docker image of DTMA for the local toolbox.'),
  NPM_REGISTRY: index.describe(
    'Registry that toolboxes take npm packages from, unless they are configured otherwise. Default: the public one.',
  ),
  PYPI_INDEX: index.describe(
    'Index that toolboxes take Python packages from (PEP 503), unless they are configured otherwise. Default: the public one.',
  ),
  PYTHON_IMAGE: z
    .string()
    .min(1)
    .optional()
    .describe('Image that the local toolbox builds Python packages on. Default: python:3-slim.'),
  DTMA_REGISTRY_IMAGE: z
    .string()
    .regex(
      /^[\w.-]+(:\d+)?(\/[\w.-]+)+(:[\w.-]+|@sha256:[0-9a-f]{64})$/,
      'must be registry/repository:tag or …@sha256:…',
    )
    .optional()
    .describe(
      'The image of DTMA in a registry. Offers machines to pull it instead of loading it from the control plane.',
    ),
  DTMA_REGISTRY_USER: z
    .string()
    .regex(/^[^:\s]+$/, 'must hold neither colons nor spaces')
    .optional()
    .describe('User of that registry, when it is private. May only read: each machine is given it for its pull.'),
  DTMA_REGISTRY_PASSWORD: z.string().min(1).optional().describe('Password or token of DTMA_REGISTRY_USER.'),
  DTMA_SOURCE_URL: z
    .url({ protocol: /^(https?|git|ssh)$/ })
    .refine((text) => URL.canParse(text) && !new URL(text).password && !text.includes("'"), 'must hold no password')
    .optional()
    .describe('A git repository that holds dtma/. Offers machines to build DTMA themselves; they must reach it.'),
  DTMA_SOURCE_COMMIT: z
    .string()
    .regex(/^[0-9a-f]{40}$/, 'must be the 40 hexadecimal digits of a commit')
    .optional()
    .describe('The commit of DTMA_SOURCE_URL that is built.'),
  AGENT_TOOL_IDLE_SECONDS: z.coerce
    .number()
    .int()
    .min(5)
    .max(86_400)
    .default(900)
    .describe('An agent’s own container of a tool with secrets stops after so long without a call.'),
  PRIVATE_UPSTREAMS: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'Whether authorization servers behind tools may be on this machine or its networks, and be spoken to by plain http.',
    ),
  OIDC_ISSUER: z
    .string()
    .refine(isSafeIssuer, 'must be an https address, without user, query and fragment')
    .optional()
    .describe('The OpenID provider by which people sign in. Its redirect address here: PUBLIC_URL/signed-on.'),
  OIDC_CLIENT_ID: z.string().min(1).max(500).optional().describe('How that provider knows this control plane.'),
  OIDC_CLIENT_SECRET: z.string().min(1).max(2_000).optional().describe('The secret that belongs to OIDC_CLIENT_ID.'),
  OIDC_CLIENT_SECRET_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('A file that holds it, instead of OIDC_CLIENT_SECRET.'),
  OIDC_DOMAINS: z
    .string()
    .regex(/^[a-z0-9.-]+(?:,[a-z0-9.-]+)*$/i, 'must be domains, separated by ,')
    .transform((text) => text.toLowerCase().split(','))
    .default([])
    .describe('Domains of e-mail addresses whose people come in without an invitation.'),
  OIDC_ROLE: z.enum(['viewer', 'operator', 'admin']).default('viewer').describe('As what they come in.'),
  OIDC_LABEL: z.string().min(1).max(40).default('single sign-on').describe('What the button says: Sign in with …'),
  DOCKER_SOCKET: z.string().min(1).default('/var/run/docker.sock').describe('Docker’s socket on this machine.'),
  PAGE_DIR: z.string().min(1).default(builtPage).describe('Directory of the built page.'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The least that is logged.'),
})

/** What the program is configured with: parsed, in our units, and cut per consumer. */
export interface Config {
  readonly http: {
    readonly host: string
    readonly port: number
    /** Absent: `http://localhost:` and the port that is listened on. */
    readonly publicUrl?: string
    readonly trustedProxies: TrustedProxies
    readonly pageDir: string
  }
  /** Absolute path. */
  readonly dataDir: string
  readonly store: { readonly databaseUrl?: string; readonly dataDir: string; readonly isShared: boolean }
  readonly masterKey?: Uint8Array
  /** They open stored secrets too, and encrypt none. */
  readonly otherMasterKeys: readonly Uint8Array[]
  /** Where other control planes reach this one; absent: it is the only one. */
  readonly replicaAddress?: string
  readonly local: {
    readonly enabled: boolean
    readonly dtmaPort: number
    readonly image: string
    readonly dockerSocket: string
    /** What its packages are built on, as DTMA's environment takes it. */
    readonly packages: Readonly<Record<string, string>>
  }
  readonly machines: {
    /** Where toolboxes take packages from. */
    readonly packages: PackageIndexes
    readonly keyPin?: string
    readonly limits: ToolboxLimits
    readonly digitalOceanUrl: string
    readonly registry?: DtmaRegistry
    readonly source?: DtmaSource
  }
  readonly direct: {
    readonly privateAddresses: boolean
    readonly plainHttp: boolean
    readonly sources: readonly string[]
  }
  /** How long an agent's own container waits for the next call. */
  readonly agentToolIdleMs: number
  /** May authorization servers behind tools be on private addresses? */
  readonly privateUpstreams: boolean
  /** By which provider people sign in. */
  readonly signOn?: SignOnConfig
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
}

/** Variables that are useless without another one. */
const TOGETHER = [
  ['REPLICA_ADDRESS', 'DATABASE_URL'],
  ['REPLICA_ADDRESS', 'MASTER_KEY'],
  ['REPLICA_ADDRESS', 'PUBLIC_URL'],
  ['DTMA_REGISTRY_USER', 'DTMA_REGISTRY_IMAGE'],
  ['DTMA_REGISTRY_USER', 'DTMA_REGISTRY_PASSWORD'],
  ['DTMA_REGISTRY_PASSWORD', 'DTMA_REGISTRY_USER'],
  ['DTMA_SOURCE_URL', 'DTMA_SOURCE_COMMIT'],
  ['DTMA_SOURCE_COMMIT', 'DTMA_SOURCE_URL'],
  ['OIDC_ISSUER', 'OIDC_CLIENT_ID'],
  ['OIDC_CLIENT_ID', 'OIDC_ISSUER'],
  ['OIDC_CLIENT_SECRET', 'OIDC_CLIENT_ID'],
  ['OIDC_CLIENT_SECRET_FILE', 'OIDC_CLIENT_ID'],
] as const

/** Exit code of a process that was configured wrongly (sysexits.h). */
const EX_CONFIG = 78
const CONFIGURATION_FIX = 'docs/configuration.md says what each variable means.'

/** @throws {StartError} With one line per wrong variable; never with its value. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable is one that was not set.
  const result = Environment.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')))
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new StartError(lines.join('\n'), CONFIGURATION_FIX, {
      exitCode: EX_CONFIG,
    })
  }
  const e = result.data
  const apart = [
    ...(e.PUBLIC_KEY_PIN && !e.PUBLIC_URL?.startsWith('https:')
      ? ['PUBLIC_URL: must be an https address when PUBLIC_KEY_PIN is set']
      : []),
    ...(e.REPLICA_ADDRESS && e.LOCAL_TOOLBOX === 'on'
      ? ['LOCAL_TOOLBOX: must be off when REPLICA_ADDRESS is set: it would be another machine for each of them']
      : []),
    ...TOGETHER.flatMap(([name, needed]) =>
      e[name] !== undefined && e[needed] === undefined ? [`${needed}: is needed when ${name} is set`] : [],
    ),
  ]
  if (apart.length > 0) throw new StartError(apart.join('\n'), CONFIGURATION_FIX, { exitCode: EX_CONFIG })
  const dataDir = resolve(e.DATA_DIR)
  const signOn = readSignOn(e)
  return {
    http: {
      host: e.HOST,
      port: e.PORT,
      ...(e.PUBLIC_URL ? { publicUrl: new URL(e.PUBLIC_URL).origin } : {}),
      trustedProxies: e.TRUST_PROXY,
      pageDir: resolve(e.PAGE_DIR),
    },
    dataDir,
    store: {
      dataDir,
      isShared: e.REPLICA_ADDRESS !== undefined,
      ...(e.DATABASE_URL ? { databaseUrl: e.DATABASE_URL } : {}),
    },
    ...(e.MASTER_KEY ? { masterKey: Buffer.from(e.MASTER_KEY, 'base64') } : {}),
    otherMasterKeys: e.OTHER_MASTER_KEY?.split(',').map((text) => Buffer.from(text, 'base64')) ?? [],
    ...(e.REPLICA_ADDRESS ? { replicaAddress: e.REPLICA_ADDRESS } : {}),
    local: {
      enabled: e.LOCAL_TOOLBOX === 'on',
      dtmaPort: e.LOCAL_DTMA_PORT,
      image: e.DTMA_IMAGE,
      dockerSocket: e.DOCKER_SOCKET,
      packages: {
        ...(e.PYTHON_IMAGE ? { DTMA_PYTHON_IMAGE: e.PYTHON_IMAGE } : {}),
      },
    },
    machines: {
      packages: {
        ...(e.NPM_REGISTRY ? { npm: e.NPM_REGISTRY } : {}),
        ...(e.PYPI_INDEX ? { pypi: e.PYPI_INDEX } : {}),
      },
      ...(e.PUBLIC_KEY_PIN ? { keyPin: e.PUBLIC_KEY_PIN } : {}),
      limits: { ofAccount: e.MAX_TOOLBOXES, ofAll: e.MAX_TOOLBOXES_OF_ALL },
      digitalOceanUrl: e.DIGITALOCEAN_API_URL.replace(/\/$/, ''),
      ...(e.DTMA_REGISTRY_IMAGE
        ? { registry: { image: e.DTMA_REGISTRY_IMAGE, ...loginOf(e.DTMA_REGISTRY_USER, e.DTMA_REGISTRY_PASSWORD) } }
        : {}),
      ...(e.DTMA_SOURCE_URL && e.DTMA_SOURCE_COMMIT
        ? { source: { url: e.DTMA_SOURCE_URL, commit: e.DTMA_SOURCE_COMMIT } }
        : {}),
    },
    direct: {
      privateAddresses: e.DIRECT_ADDRESSES === 'private',
      plainHttp: e.DIRECT_PLAIN_HTTP === 'on',
      sources: e.DIRECT_SOURCES?.split(',') ?? [],
    },
    agentToolIdleMs: e.AGENT_TOOL_IDLE_SECONDS * 1_000,
    privateUpstreams: e.PRIVATE_UPSTREAMS === 'on',
    ...(signOn ? { signOn } : {}),
    log: { level: e.LOG_LEVEL },
  }
}

function readSignOn(e: z.infer<typeof Environment>): SignOnConfig | undefined {
  try {
    return signOnOf(e)
  } catch {
    throw new StartError('OIDC_CLIENT_SECRET_FILE: cannot be read, or is empty', CONFIGURATION_FIX, {
      exitCode: EX_CONFIG,
    })
  }
}

const loginOf = (user: string | undefined, password: string | undefined): Pick<DtmaRegistry, 'login'> =>
  user !== undefined && password !== undefined ? { login: { user, password } } : {}
