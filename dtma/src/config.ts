import * as z from 'zod/mini'
import en from 'zod/v4/locales/en.js'
import { isLoopback } from './contract/loopback.ts'
import { DTMA_PORT } from './contract/road.ts'
import { LOG_LEVELS, type LogLevel } from './log.ts'
import { PYTHON_IMAGE } from './tools/python-base.ts'

// The small edition of zod brings no messages of its own; these name what is wrong, never the value.
z.config(en())

const text = (about: string) => z.optional(z.string().check(z.describe(about)))
const secret = (about: string) => z.optional(z.string().check(z.minLength(16), z.maxLength(1_024), z.describe(about)))

const index = (about: string) =>
  z.optional(
    z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).check(
      z.refine((url) => new URL(url).username + new URL(url).password === '', 'must hold no user and no password'),
      z.describe(about),
    ),
  )

/** The whole environment, in one table. The configuration reference is printed from it. Nothing need be set. */
export const Environment = z.object({
  AGENTOPIA_API_BASE_URL: z.optional(
    z
      .url({ protocol: /^https?$/, error: 'must be an http or https address' })
      .check(z.describe('Origin of the control plane. Absent: DTMA reports to nobody.')),
  ),
  CONTROL_PLANE_PIN: z.optional(
    z
      .string()
      .check(
        z.regex(
          /^sha256\/\/[A-Za-z0-9+/]{43}=(;sha256\/\/[A-Za-z0-9+/]{43}=)*$/,
          'must be sha256//<base64>, several separated by ;',
        ),
        z.describe('Pins of the TLS key of the control plane, present and next. Absent: the authorities are trusted.'),
      ),
  ),
  TOOLBOX_ID: z.optional(z.string().check(z.maxLength(64), z.describe('The toolbox that this machine is to become.'))),
  ENROLMENT_TOKEN: secret('Single-use right to enrol as TOOLBOX_ID.'),
  ENROLMENT_TOKEN_FILE: text('File that holds the enrolment token; read when DTMA enrols.'),
  DTMA_BEARER_TOKEN: secret('Credential towards the control plane, instead of enrolling.'),
  BACKEND_TO_DTMA_API_KEY: secret(
    'Key that callers of the DTMA API present, instead of enrolling. Without any, only /health answers.',
  ),
  PORT: z._default(
    z.coerce.number().check(z.int(), z.minimum(0), z.maximum(65_535), z.describe('TCP port; 0 picks a free one.')),
    DTMA_PORT,
  ),
  HOST: text(
    'Address to listen on. Default: all in a container, which publishes what it wants, and with DTMA_ROAD=direct; else 127.0.0.1.',
  ),
  DTMA_ROAD: z._default(
    z
      .enum(['tunnel', 'direct'])
      .check(
        z.describe(
          'How the control plane comes at first: by a tunnel that DTMA dials, or to PORT by itself, over https. Direct: no tunnel is dialled. What the control plane changes later holds over it, until it is set to another value.',
        ),
      ),
    'tunnel',
  ),
  DTMA_PLAIN_HTTP: z.optional(
    z
      .enum(['on', 'off'])
      .check(
        z.describe(
          'Whether PORT answers plain HTTP beside https. Default: on where it listens on this machine alone; off in a container that publishes it, and with DTMA_ROAD=direct. /health is always answered.',
        ),
      ),
  ),
  DTMA_STATE_DIR: z._default(
    z
      .string()
      .check(
        z.describe(
          'Directory of the identity, the accepted tools, and the socket that the gateway of the tools dials; made when absent. In a container, a mount.',
        ),
      ),
    '/var/lib/dtma',
  ),
  DTMA_PROGRAMS_DIR: text(
    'Directory that DTMA puts later versions of itself into; whoever starts it starts `current` in there, if it is there. Absent: it is no service, or may not replace itself.',
  ),
  DTMA_RUNNER_IMAGE: text("Image with Node and npm that npm packages are built on. Default: DTMA's own image."),
  DTMA_PYTHON_IMAGE: text(
    `Image with Python 3 and pip that Python packages are built on; pulled when it is not there. Default: ${PYTHON_IMAGE}.`,
  ),
  DTMA_NPM_REGISTRY: index(
    'Registry that npm packages come from. It holds no password. Default: the one of the runner image.',
  ),
  DTMA_PYPI_INDEX: index(
    'Index that Python packages come from (PEP 503). It holds no password. Default: the public one.',
  ),
  DOCKER_HOST: z._default(
    z
      .string()
      .check(z.regex(/^unix:\/\/\/.+/, 'must be unix:///path/of/the/socket'), z.describe('Where Docker listens.')),
    'unix:///var/run/docker.sock',
  ),
  DTMA_EGRESS_DNS: z.optional(
    z
      .string()
      .check(
        z.regex(/^\d+\.\d+\.\d+\.\d+(?:,\d+\.\d+\.\d+\.\d+)*$/, 'must be IPv4 addresses, separated by commas'),
        z.describe("Name servers for the hosts that tools may reach. Default: the machine's."),
      ),
  ),
  LOG_LEVEL: z._default(z.enum(LOG_LEVELS).check(z.describe('The least that is logged.')), 'info'),
})

/** What the program is configured with: parsed, in our units, and cut per consumer. */
export interface Config {
  readonly http: {
    readonly host: string
    readonly port: number
    /** Whether more than /health is answered in the clear. */
    readonly plain: boolean
  }
  readonly docker: {
    readonly socketPath: string
    readonly runnerImage: string | undefined
    readonly pythonImage: string | undefined
  }
  /** Where packages come from; absent: from where everybody takes them. */
  readonly indexes: { readonly npm: string | undefined; readonly pypi: string | undefined }
  readonly stateDirectory: string
  /** Of a service that may replace itself. */
  readonly programsDirectory: string | undefined
  /** Absent: those that Docker gives to containers. */
  readonly egressNameServers: readonly string[] | undefined
  readonly uplink: UplinkConfig | undefined
  /** BACKEND_TO_DTMA_API_KEY, when it was given. */
  readonly apiKey: string | undefined
  readonly logLevel: LogLevel
}

interface UplinkConfig {
  readonly road: 'tunnel' | 'direct'
  /** Origin, without a trailing slash. */
  readonly baseUrl: string
  /** Absent: the authorities are trusted. */
  readonly pins: readonly string[] | undefined
  readonly toolboxId: string | undefined
  readonly enrolmentToken: string | undefined
  readonly enrolmentTokenFile: string | undefined
  readonly bearerToken: string | undefined
}

/** Exit code of a process that was configured wrongly (sysexits.h). */
export const EX_CONFIG = 78

/** One line per wrong variable; never its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Variables that are useless without another one. */
const NEEDS = [
  ['ENROLMENT_TOKEN', 'TOOLBOX_ID'],
  ['ENROLMENT_TOKEN_FILE', 'TOOLBOX_ID'],
  ['TOOLBOX_ID', 'AGENTOPIA_API_BASE_URL'],
  ['DTMA_BEARER_TOKEN', 'AGENTOPIA_API_BASE_URL'],
  ['CONTROL_PLANE_PIN', 'AGENTOPIA_API_BASE_URL'],
] as const

/** @throws {ConfigError} */
export function parseConfig(env: Readonly<Record<string, string | undefined>>, inContainer: boolean): Config {
  // An empty variable is one that was not set.
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  )
  const result = Environment.safeParse(given)
  const wrong = result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const missing = NEEDS.filter(([name, needed]) => given[name] !== undefined && given[needed] === undefined)
  const lines = [...wrong, ...new Set(missing.map(([name, needed]) => `${needed}: is needed when ${name} is set`))]
  if (given['CONTROL_PLANE_PIN'] !== undefined && given['AGENTOPIA_API_BASE_URL']?.startsWith('http:'))
    lines.push('AGENTOPIA_API_BASE_URL: must be an https address when CONTROL_PLANE_PIN is set')
  if (!result.success || lines.length > 0) throw new ConfigError(lines.join('\n'))

  const e = result.data
  const host = e.HOST ?? (inContainer || e.DTMA_ROAD === 'direct' ? '0.0.0.0' : '127.0.0.1')
  const staysHere = e.DTMA_ROAD === 'tunnel' && isLoopback(host)
  return {
    http: { host, port: e.PORT, plain: e.DTMA_PLAIN_HTTP === undefined ? staysHere : e.DTMA_PLAIN_HTTP === 'on' },
    docker: {
      socketPath: e.DOCKER_HOST.slice('unix://'.length),
      runnerImage: e.DTMA_RUNNER_IMAGE,
      pythonImage: e.DTMA_PYTHON_IMAGE,
    },
    indexes: { npm: e.DTMA_NPM_REGISTRY, pypi: e.DTMA_PYPI_INDEX },
    stateDirectory: e.DTMA_STATE_DIR,
    programsDirectory: e.DTMA_PROGRAMS_DIR,
    egressNameServers: e.DTMA_EGRESS_DNS?.split(','),
    uplink:
      e.AGENTOPIA_API_BASE_URL === undefined
        ? undefined
        : {
            road: e.DTMA_ROAD,
            baseUrl: e.AGENTOPIA_API_BASE_URL.replace(/\/+$/, ''),
            pins: e.CONTROL_PLANE_PIN?.split(';'),
            toolboxId: e.TOOLBOX_ID,
            enrolmentToken: e.ENROLMENT_TOKEN,
            enrolmentTokenFile: e.ENROLMENT_TOKEN_FILE,
            bearerToken: e.DTMA_BEARER_TOKEN,
          },
    apiKey: e.BACKEND_TO_DTMA_API_KEY,
    logLevel: e.LOG_LEVEL,
  }
}
