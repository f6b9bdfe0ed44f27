import { API_VERSION, type Client, enrol, ProblemError } from '../contract/index.ts'
import type { Log } from '../log.ts'
import { reasonOf } from '../reason.ts'
import type { Clock } from './clock.ts'
import { jitteredBackoffMs } from './clock.ts'
import type { Credentials, Identity } from './identity.ts'

export interface EnrolmentDeps {
  readonly client: Pick<Client, 'call'>
  readonly identity: Identity
  readonly toolboxId: string
  /** The single-use token; read anew for each try, because whoever gives it may replace it. */
  readonly token: () => string | undefined
  readonly machine: { readonly hostname: string; readonly os: string; readonly arch: string }
  readonly version: string
  readonly log: Log
  readonly clock: Clock
}

/** A refusal is final for this token; a new one may be put in its place. */
const REFUSED_MS = 30_000
const DEADLINE_MS = 20_000

/** Trades the token for credentials and keeps them; tries until it succeeds or `signal` aborts. A lost reply is repeated with the same key. */
export async function enrolUntilDone(deps: EnrolmentDeps, signal: AbortSignal): Promise<Credentials | undefined> {
  const { clock, log } = deps
  let told = ''
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await enrolOnce(deps, signal)
    } catch (error) {
      if (signal.aborted) return undefined
      const refused = error instanceof ProblemError && !error.kind.retryable
      const text = String(error)
      if (text !== told) log.warn('enrolment failed', whyNot(error))
      told = text
      await clock.sleep(refused ? REFUSED_MS : jitteredBackoffMs(failures, clock.random), signal)
    }
  }
  return undefined
}

/** One try. @throws {Error} A `ProblemError` that is not retryable is the control plane's no. */
export async function enrolOnce(
  { client, identity, toolboxId, token, machine, version, log }: EnrolmentDeps,
  signal: AbortSignal,
): Promise<Credentials> {
  const secret = token()
  if (!secret) throw new Error('there is no enrolment token; give one in ENROLMENT_TOKEN_FILE')
  const key = identity.enrolmentKey()
  const body = {
    toolboxId,
    token: secret,
    publicKey: key.publicKey,
    signature: key.sign(`enrol:${toolboxId}:${secret}`),
    dtmaVersion: version,
    apiVersion: API_VERSION,
    renews: true as const,
    machine,
  }
  const credentials = await client.call(
    enrol,
    { body },
    { signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]) },
  )
  identity.keep(credentials, secret)
  log.info('enrolled', { toolboxId, epoch: credentials.epoch })
  return credentials
}

export const whyNot = (error: unknown): Record<string, unknown> =>
  error instanceof ProblemError
    ? { reason: error.message, code: error.code, fix: error.kind.fix }
    : { reason: reasonOf(error) }
