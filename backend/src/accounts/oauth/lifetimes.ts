/** A code passes through one redirect (OAuth 2.1 §4.1.2 recommends at most ten minutes). */
export const CODE_MS = 60_000
/** How long an access token is good, unless its grant ends before. */
export const ACCESS_MS = 3_600_000
/** A client that has not come for so long has to be consented to anew. */
export const REFRESH_MS = 30 * 24 * 3_600_000
