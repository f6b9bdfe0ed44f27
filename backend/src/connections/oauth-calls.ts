import * as oauth from 'oauth4webapi'
import type { GuardedFetch } from '../http/guarded-fetch.ts'

/** How the OAuth library gets out: by our guarded way, and no other. */
export function optionsFor<Method, Body>(
  { fetch, plain }: { readonly fetch: GuardedFetch; readonly plain: boolean },
  signal: AbortSignal,
): oauth.HttpRequestOptions<Method, Body> {
  return {
    signal,
    [oauth.allowInsecureRequests]: plain,
    [oauth.customFetch]: (address, { method, headers, body, signal: until }) =>
      fetch(address, {
        method: String(method),
        headers,
        ...(body == null ? {} : { body: String(body) }),
        ...(until ? { signal: until } : {}),
      }),
  }
}

/** Was it the other side that said no, or something that it should not say? Else it was not reached, or is ill. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof oauth.ResponseBodyError
    ? error.status < 500 && error.status !== 429
    : error instanceof oauth.AuthorizationResponseError ||
      error instanceof oauth.UnsupportedOperationError ||
      (error instanceof oauth.OperationProcessingError && !isIll(error))

/** An answer with an unexpected status: of a server that is ill, or of something in between. */
const isIll = ({ code, cause }: oauth.OperationProcessingError): boolean =>
  code === oauth.RESPONSE_IS_NOT_CONFORM && cause instanceof Response && (cause.status >= 500 || cause.status === 429)

/** Codes of OAuth errors are words of a fixed alphabet; what a server says beyond that is not shown to anybody. */
const CODE = /^[a-z_]{1,60}$/

/** Why, for people. Never holds anything that was sent. */
export function whyNot(error: unknown): string {
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError)
    return CODE.test(error.error) ? `it answers ${error.error}` : 'it answers with an error'
  if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError)
    return error.message
  return error instanceof Error ? error.message : 'it failed'
}
