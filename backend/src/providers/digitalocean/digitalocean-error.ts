/** What a failed call means. */
export type FailureKind =
  /** The token is none, or was revoked. */
  | 'unauthorized'
  /** The token lacks a right. */
  | 'forbidden'
  /** It will not be done, however often it is asked for: wrong, over a limit, not there. */
  | 'refused'
  /** Too many calls: come again. */
  | 'limited'
  /** No answer, or one that says nothing: it may have been done. */
  | 'unknown'

/** A failed call of DigitalOcean's API. The message holds what it answered, never a token. */
export class DigitalOceanError extends Error {
  override readonly name = 'DigitalOceanError'
  readonly kind: FailureKind
  /** For `limited`: how long to wait, in milliseconds. */
  readonly retryAfterMs: number

  constructor(kind: FailureKind, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options)
    this.kind = kind
    this.retryAfterMs = options.retryAfterMs ?? 0
  }
}

/** DigitalOcean does one thing at a time with a droplet: come again. */
export const isBusyDroplet = ({ kind, message }: DigitalOceanError): boolean =>
  kind === 'refused' && /pending event|is locked|already in progress/i.test(message)
