import type { Answer, Fetch } from '../contract/client.ts'
import { exchange } from './http-fetch.ts'
import { connectPinned, type Pins } from './pinned-tls.ts'

/** `fetch` to whoever holds a pinned key, and to nobody else. @throws {PinMismatch} */
export const pinnedFetch =
  (pins: Pins): Fetch<Answer> =>
  async (url, init) =>
    exchange(url, init, await connectPinned(new URL(url), pins, init?.signal))
