const MOST_CAUSES = 5

/** Why something failed, with what caused it: `fetch failed: connect ECONNREFUSED 10.0.0.1:3000`. */
export function reasonOf(error: unknown): string {
  const reasons = new Set<string>()
  let cause: unknown = error
  for (let depth = 0; cause !== undefined && depth < MOST_CAUSES; depth += 1) {
    reasons.add(wordsOf(cause))
    cause = nextOf(cause)
  }
  reasons.delete('')
  return [...reasons].join(': ') || 'unknown'
}

/** A connection that was tried at several addresses fails with one error for each; the last one is as good as any. */
const nextOf = (error: unknown): unknown =>
  error instanceof AggregateError ? error.errors.at(-1) : error instanceof Error ? error.cause : undefined

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error.message === '') return code
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`
}
