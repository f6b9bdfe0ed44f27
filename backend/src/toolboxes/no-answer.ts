import { $ZodError } from 'zod/v4/core'

/** Whether what came instead of an answer was one of something else, or of another version. */
export const isUnreadable = (error: unknown): boolean => error instanceof $ZodError || error instanceof SyntaxError

/** An error in words that are short enough to be evidence. */
export const evidenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 300)
