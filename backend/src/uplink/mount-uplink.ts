import { problem } from '@agentopia/api'
import type { Operation, Parsed, Reply } from '@agentopia/dtma/contract'
import type { Context, Hono, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { checkedInput } from '../http/checked-input.ts'
import { parseCleanJson } from './clean-json.ts'

/** The largest body that DTMA may send, in bytes. */
const UPLINK_BODY_LIMIT = 1_048_576

/** @param signal Aborts when whoever asked has gone. */
export type UplinkHandler<Op extends Operation> = (
  input: Parsed<Op>,
  bearer: string | undefined,
  signal: AbortSignal,
) => Promise<Reply<Op>>

/**
 * Serves an operation of the uplink. Size, JSON and shape are checked before `handle` runs.
 * @param admit Runs before anything is read; what it throws is the answer.
 */
export function mountUplink<Op extends Operation>(
  app: Hono,
  op: Op,
  handle: UplinkHandler<Op>,
  admit: (bearer: string | undefined) => Promise<void> | void = () => {},
): void {
  const limit = bodyLimit({
    maxSize: UPLINK_BODY_LIMIT,
    onError: () => {
      throw problem('payload-too-large', `The body is larger than ${UPLINK_BODY_LIMIT} bytes`)
    },
  })
  const door: MiddlewareHandler = async (c, next) => {
    await admit(bearerOf(c))
    await next()
  }
  app.on(op.method, op.path, door, limit, async (c) => {
    const input = checkedInput(op, {
      params: c.req.param(),
      query: c.req.query(),
      body: parseCleanJson(await c.req.text()),
    })
    return c.json((await handle(input, bearerOf(c), c.req.raw.signal)) as object, op.status as 200)
  })
}

export const bearerOf = (c: Context): string | undefined =>
  /^Bearer (\S{1,512})$/i.exec(c.req.header('authorization') ?? '')?.[1]
