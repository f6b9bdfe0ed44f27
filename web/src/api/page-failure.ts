import { Unreachable } from './unreachable.ts'

/** The page failed while it was drawn: a bug of ours. */
export class PageFailure extends Error {}

/** What ended the drawing of a page. A part of the page that could not be fetched, or what the server said, is no bug of the page. */
export const crashOf = (error: unknown): unknown =>
  error instanceof TypeError
    ? new (/module/i.test(error.message) ? Unreachable : PageFailure)(error.message, { cause: error })
    : error
