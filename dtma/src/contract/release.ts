import * as z from 'zod/mini'
import { Version } from './version.ts'

const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/, 'SHA-256, hex'))
/** Large enough for any image of DTMA, small enough for any disk. */
const bytes = z.int().check(z.minimum(1), z.maximum(4 * 1024 ** 3))

/** Name of one request to replace DTMA, by whoever asks. */
export const Attempt = z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/))

/** A version of DTMA that the control plane gives out: what is signed. */
export const Release = z.strictObject({
  product: z.literal('dtma'),
  version: Version,
  /** For DTMA in a container: what `GET /dtma/image/{id}` answers. */
  image: z.optional(
    z.strictObject({
      id: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/, 'sha256:<hex>')),
      /** Of the compressed archive. */
      sha256: digest,
      size: bytes,
    }),
  ),
  /** For DTMA as a service of the system: the bundle. */
  bundle: z.optional(z.strictObject({ sha256: digest, size: bytes })),
  /** The one attempt in which it may also replace a DTMA of the same version. Absent: it replaces older ones alone. */
  again: z.optional(Attempt),
})
export type Release = z.infer<typeof Release>

/** How a DTMA was installed: which part of a release is for it. */
export const InstallationKind = z.enum(['container', 'service'])
export type InstallationKind = z.infer<typeof InstallationKind>

/** The text itself is signed, so nobody has to agree on how to write JSON. */
export const SignedRelease = z.strictObject({
  /** A {@link Release} as JSON. */
  manifest: z.string().check(z.maxLength(4_096)),
  /** Ed25519 over {@link signedTextOf}, base64. */
  signature: z.string().check(z.maxLength(200)),
})
export type SignedRelease = z.infer<typeof SignedRelease>

/** What the signature is over: it can be nothing else than a release. */
export const signedTextOf = (manifest: string): string => `agentopia dtma release v1\n${manifest}`

/** How far an update is. The running DTMA was never stopped before `switching`. */
export const UpdatePhase = z.enum([
  /** The release is fetched, checked and given to Docker. */
  'loading',
  /** The present DTMA makes room for the new one. */
  'switching',
  /** The new one runs, and has two minutes to show that it works. */
  'proving',
  'done',
  /** The new one did not work; the one before runs again. */
  'fell_back',
  /** It did not come to a try; the present one was never stopped. */
  'failed',
])
export type UpdatePhase = z.infer<typeof UpdatePhase>

/** What an update is over with. */
export const isOver = (phase: UpdatePhase): boolean => phase === 'done' || phase === 'fell_back' || phase === 'failed'

export const UpdateReason = z.enum([
  'download_failed',
  /** What was fetched is not what was signed. */
  'tampered',
  'disk_full',
  'load_failed',
  /** The image is another version than its release says. */
  'wrong_version',
  'does_not_start',
  'crash_loop',
  'no_heartbeat',
  'docker_unreachable',
  'isolation_unproven',
  'internal',
])
export type UpdateReason = z.infer<typeof UpdateReason>

/** The last update of this DTMA. */
export const UpdateState = z.object({
  /** Which request it is: whoever asked named it. */
  attempt: z.string().check(z.maxLength(64)),
  version: z.string().check(z.maxLength(32)),
  /** The version before. */
  from: z.string().check(z.maxLength(64)),
  phase: UpdatePhase,
  /** Of the download. */
  percent: z.optional(z.int()),
  reason: z.optional(UpdateReason),
  /** One sentence for people. */
  message: z.optional(z.string().check(z.maxLength(500))),
  /** When `phase` began, by the toolbox's clock. */
  since: z.iso.datetime(),
})
export type UpdateState = z.infer<typeof UpdateState>
