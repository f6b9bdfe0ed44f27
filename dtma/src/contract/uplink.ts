import * as z from 'zod/mini'
import { reportBoot } from './boot.ts'
import { defineOperation } from './operation.ts'
import { InstallationKind, UpdateState } from './release.ts'
import { challenge, renew } from './renewal.ts'
import { DockerState, SystemMetrics } from './status.ts'
import { ToolStatus } from './tool.ts'

/** What DTMA says to the control plane. `enrolment` and `dtma` name the credential: the single-use token, or DTMA_BEARER_TOKEN. */

/** Version of everything in this folder. The control plane refuses a DTMA of another major. */
export const API_VERSION = 1

export const enrol = defineOperation({
  id: 'enrol',
  summary: 'Become a toolbox: trade a single-use token and a public key for the two credentials',
  method: 'POST',
  path: '/dtma/enrol',
  auth: 'enrolment',
  status: 201,
  body: z.strictObject({
    toolboxId: z.string().check(z.maxLength(64)),
    token: z.string().check(z.minLength(16), z.maxLength(256)),
    /** Ed25519, SPKI DER, base64. The same key may enrol again with the same token: a lost reply is repeatable. */
    publicKey: z.string().check(z.maxLength(200)),
    /** Signature by that key over `enrol:<toolboxId>:<token>`, base64. */
    signature: z.string().check(z.maxLength(200)),
    dtmaVersion: z.string().check(z.maxLength(64)),
    apiVersion: z.int(),
    /** It knows how to renew: DTMA_BEARER_TOKEN then holds for an hour. Absent: it holds until the next enrolment. */
    renews: z.optional(z.literal(true)),
    machine: z.object({
      hostname: z.string().check(z.maxLength(255)),
      os: z.string().check(z.maxLength(200)),
      arch: z.string().check(z.maxLength(32)),
    }),
  }),
  reply: z.object({
    toolboxId: z.string(),
    /** Grows with each enrolment of this toolbox. */
    epoch: z.int(),
    dtmaBearerToken: z.string(),
    backendToDtmaApiKey: z.string(),
    /** Ed25519, SPKI DER, base64: the key that releases of DTMA for this toolbox are signed with. */
    releaseKey: z.optional(z.string()),
  }),
  problems: ['enrolment-refused', 'unsupported-version'],
})

const indexAddress = z.url({ protocol: /^https?$/ }).check(z.maxLength(2_000))
/** Where packages come from, when it is not the public registries. No secret: it is written into images. */
export const PackageIndexes = z.object({ npm: z.optional(indexAddress), pypi: z.optional(indexAddress) })
export type PackageIndexes = z.infer<typeof PackageIndexes>

export const heartbeat = defineOperation({
  id: 'heartbeat',
  summary: 'Life sign; carries a full report on change, or every 60 s',
  method: 'POST',
  path: '/dtma/heartbeat',
  auth: 'dtma',
  status: 200,
  body: z.strictObject({
    /** New with each start of the process. */
    runId: z.string().check(z.maxLength(64)),
    /** Counts heartbeats of this run, from 1. */
    seq: z.int().check(z.minimum(1)),
    dtmaVersion: z.string().check(z.maxLength(64)),
    apiVersion: z.int(),
    /** Its clock, milliseconds since the epoch. Nothing is decided by it; people are told when it is wrong. */
    sentAt: z.optional(z.int()),
    docker: DockerState,
    system: z.optional(SystemMetrics),
    /** Complete when present: a tool that is missing here is not on the toolbox. */
    tools: z.optional(z.array(ToolStatus).check(z.maxLength(1_000))),
    /** The last update, with every report. */
    update: z.optional(UpdateState),
    /** With every report. Absent: a container, or nobody knows yet. */
    installation: z.optional(InstallationKind),
  }),
  reply: z.object({
    /** Send the next one after about this time. */
    nextInSeconds: z.number(),
    /** The control plane wants `tools` and `system` in the next one. */
    wantReport: z.boolean(),
    /** As the operator of the control plane configured it; absent: it says nothing about it. */
    packages: z.optional(PackageIndexes),
    /** Present when this DTMA is too old for the control plane: the least version that it needs. */
    tooOld: z.optional(z.object({ reason: z.literal('version_floor'), needed: z.string() })),
  }),
  problems: ['superseded', 'unsupported-version'],
})

export const readRegistryCredential = defineOperation({
  id: 'readRegistryCredential',
  summary:
    'The credential for a registry that a tool of this toolbox is pulled from; used for that pull, and forgotten',
  method: 'POST',
  path: '/dtma/registry-credential',
  auth: 'dtma',
  status: 200,
  body: z.strictObject({ registry: z.string().check(z.minLength(1), z.maxLength(255)) }),
  reply: z.object({
    /** Absent: the account has none, or no tool of this toolbox is pulled from there. */
    credential: z.optional(z.object({ username: z.string(), password: z.string() })),
  }),
  problems: [],
})

/** Asked by the install script, with the enrolment token or DTMA_BEARER_TOKEN. The reply is what Docker reads as its `config.json`. */
export const readRegistryAuth = defineOperation({
  id: 'readRegistryAuth',
  summary: 'What opens the registry that the image of DTMA is in; nothing when it is open to all',
  method: 'GET',
  path: '/dtma/registry-auth',
  auth: 'enrolment',
  status: 200,
  reply: z.object({ auths: z.record(z.string(), z.object({ auth: z.string() })) }),
  problems: ['enrolment-refused'],
})

/** `GET`, upgraded to a WebSocket that carries HTTP/2 with DTMA as the server. Authorization as for {@link heartbeat}. */
export const TUNNEL_PATH = '/dtma/tunnel'
export const TUNNEL_PROTOCOL = 'dtma.v1'
/**
 * The same, and heartbeats beside it, so that none needs a connection of its own: text messages, each a {@link TunnelBeat}, answered by
 * a {@link TunnelBeatReply}. What the credential in it opens, it opens as in an HTTP request, whoever opened the tunnel.
 */
export const TUNNEL_BEATS_PROTOCOL = 'dtma.v1.beats'
/** Longest of these messages, in characters. */
export const TUNNEL_BEAT_MOST = 1 << 20
export const TunnelBeat = z.object({
  /** Returned with the answer. One at a time is taken. */
  id: z.int(),
  /** DTMA_BEARER_TOKEN. */
  token: z.string().check(z.maxLength(512)),
  /** As that of {@link heartbeat}. */
  body: z.unknown(),
})
export const TunnelBeatReply = z.object({
  id: z.int(),
  /** As that of an HTTP response, and so the body: a reply of {@link heartbeat}, or a problem document. */
  status: z.int(),
  body: z.unknown(),
})
/** Header of the upgrade request. */
export const RUN_ID_HEADER = 'x-dtma-run-id'

/** WebSocket close codes of the tunnel (RFC 6455 section 7.4.2: 4000 to 4999 are private). */
export const TUNNEL_CLOSE = {
  /** DTMA says: I am stopping on purpose. */
  stopping: 4000,
  /** Control plane says: a newer run of the same toolbox is connected. */
  superseded: 4001,
  /** Control plane says: your credential was revoked. */
  revoked: 4002,
} as const

export const UPLINK_OPERATIONS = [
  enrol,
  challenge,
  renew,
  heartbeat,
  reportBoot,
  readRegistryCredential,
  readRegistryAuth,
] as const
