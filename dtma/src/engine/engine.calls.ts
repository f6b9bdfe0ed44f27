import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import * as z from 'zod/mini'
import { EngineVersion, ProgressLine } from './docker.types.ts'
import type { EngineCall, EngineHttp } from './engine.http.ts'
import { EngineError } from './engine-error.ts'
import { jsonLines } from './json-lines.ts'

/** How long an answer may take, in milliseconds. */
export const DEADLINE = { version: 2_000, read: 5_000, change: 30_000, build: 300_000, load: 3_600_000 } as const

/** Engine API version that we speak when the engine still does: Docker 20.10. */
const OLDEST = '1.41'

/** Calls in the negotiated API version, with answers that were checked. */
export interface EngineCalls {
  version(signal: AbortSignal): Promise<EngineVersion>
  /** For calls whose answer says nothing. */
  tell(call: EngineCall, signal: AbortSignal): Promise<void>
  ask<S extends z.ZodMiniType>(schema: S, call: EngineCall, signal: AbortSignal): Promise<z.output<S>>
  open(call: EngineCall, signal: AbortSignal): Promise<IncomingMessage>
  hijack(call: EngineCall, signal: AbortSignal): Promise<Duplex>
  /** @param idleMs Silence after which the work counts as failed (`hung`). */
  progress(call: EngineCall, idleMs: number, signal: AbortSignal): AsyncGenerator<ProgressLine>
}

export function createEngineCalls(http: EngineHttp): EngineCalls {
  let prefix: string | undefined

  async function version(signal: AbortSignal): Promise<EngineVersion> {
    const call = { what: 'ask Docker for its version', method: 'GET', path: '/version' } as const
    return understand(EngineVersion, await http.json({ ...call, deadlineMs: DEADLINE.version }, signal), call.what)
  }

  /** Negotiates first when that was not done since the engine last went down: it may have come back as another version. */
  async function versioned<T>(
    call: EngineCall,
    signal: AbortSignal,
    act: (call: EngineCall) => Promise<T>,
  ): Promise<T> {
    try {
      prefix ??= `/v${apiVersionFor(await version(signal))}`
      return await act({ ...call, path: prefix + call.path })
    } catch (error) {
      if (error instanceof EngineError && error.fault === 'down') prefix = undefined
      throw error
    }
  }

  const json = (call: EngineCall, signal: AbortSignal) => versioned(call, signal, (full) => http.json(full, signal))
  const open = (call: EngineCall, signal: AbortSignal) => versioned(call, signal, (full) => http.stream(full, signal))

  return {
    version,
    open,
    hijack: (call, signal) => versioned(call, signal, (full) => http.hijack(full, signal)),
    async tell(call, signal) {
      await json(call, signal)
    },
    async ask(schema, call, signal) {
      return understand(schema, await json(call, signal), call.what)
    },
    async *progress(call, idleMs, signal) {
      const source = await open(call, signal)
      source.socket.setTimeout(idleMs, () =>
        source.destroy(new EngineError('hung', `${call.what}: no progress in ${idleMs / 1_000} s`)),
      )
      for await (const line of jsonLines(source)) yield understand(ProgressLine, line, call.what)
    },
  }
}

/** The oldest dialect that the engine still speaks, so that all engines answer alike. */
export function apiVersionFor({ Version, ApiVersion, MinAPIVersion }: EngineVersion): string {
  if (compareVersions(ApiVersion, OLDEST) < 0)
    throw new EngineError('invalid', `Docker ${Version} is too old: 20.10 or later is needed`)
  return MinAPIVersion !== undefined && compareVersions(MinAPIVersion, OLDEST) > 0 ? MinAPIVersion : OLDEST
}

const compareVersions = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })

export function understand<S extends z.ZodMiniType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = z.safeParse(schema, value)
  if (parsed.success) return parsed.data
  throw new EngineError('failed', `${what}: Docker's answer is not understood (${z.prettifyError(parsed.error)})`)
}

/** Turns "there is none" from an error into an absence. */
export async function absentIfNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof EngineError && error.fault === 'not-found') return undefined
    throw error
  }
}
