import * as z from 'zod/mini'

/** One way a call can fail. The key of its catalogue is the wire code. */
export interface ProblemKind {
  readonly status: number
  readonly title: string
  readonly retryable: boolean
  /** What the reader can do about it. */
  readonly fix: string
}

/** RFC 9457. `code`, `fix` and `retryable` are extension members (section 3.2); some problems have more of their own. */
export const ProblemDocument = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  /** Identifier of this occurrence: the request id, also in the log line. */
  instance: z.string(),
  code: z.string(),
  fix: z.string(),
  retryable: z.boolean(),
})
export type ProblemDocument = z.infer<typeof ProblemDocument>

/** A failure with a name: thrown by the server, rebuilt by the client, matched on `code` by both. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: string
  readonly kind: ProblemKind

  constructor(code: string, kind: ProblemKind, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.code = code
    this.kind = kind
  }

  /** @param instance Identifier of this occurrence, e.g. the request id. */
  toDocument(instance: string): ProblemDocument {
    const { status, title, retryable, fix } = this.kind
    const type = `urn:agentopia:problem:${this.code}`
    return { type, title, status, detail: this.message, instance, code: this.code, fix, retryable }
  }

  static fromDocument(document: ProblemDocument): ProblemError {
    return new ProblemError(document.code, document, document.detail)
  }
}

/** The function that makes problems of one catalogue: `throw problem('tool-not-found', 'No tool is named x')`. */
export const problemsOf =
  <const Catalogue extends Record<string, ProblemKind>>(catalogue: Catalogue) =>
  (code: keyof Catalogue & string, detail: string, options?: ErrorOptions): ProblemError =>
    new ProblemError(code, catalogue[code]!, detail, options)
