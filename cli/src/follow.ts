import { setTimeout as sleep } from 'node:timers/promises'
import { type ProblemCode, problem } from '@agentopia/api'
import type { ArgsDef } from 'citty'
import type { Output } from './output.ts'

/** `--wait`, which is on unless it is taken back, and `--timeout`. @param until What is waited for. */
export const waitArgs = (until: string, seconds: number) =>
  ({
    wait: {
      type: 'boolean',
      description: `Wait until ${until}`,
      default: true,
      negativeDescription: 'Return as soon as it is recorded',
    },
    timeout: { type: 'string', description: 'Seconds to wait', default: `${seconds}` },
  }) as const satisfies ArgsDef

export interface Following<State> {
  /** @param deadline Until when an answer is waited for. */
  readonly read: (deadline: AbortSignal) => Promise<State>
  /** What is told of it, each time that it is something else; `undefined`: nothing. */
  readonly tell?: (now: State) => string | undefined
  /** May throw what it has come to. */
  readonly isOver: (now: State) => boolean
  /** What is said when time is up, as `call-timeout` unless `lateAs` is another code. */
  readonly late: (now: State) => string
  readonly lateAs?: ProblemCode
  readonly everyMs: number
}

export interface Patience {
  readonly seconds: number
  readonly signal: AbortSignal
  readonly output: Pick<Output, 'note'>
}

/** Reads something again and again until it is over, telling each change. @throws {ProblemError} When time is up, and what its parts throw. */
export async function follow<State>(
  { read, tell, isOver, late, lateAs = 'call-timeout', everyMs }: Following<State>,
  { seconds, signal, output }: Patience,
): Promise<State> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1_000)])
  let told = ''
  for (;;) {
    const now = await read(deadline)
    const line = tell?.(now) ?? told
    if (line !== told) output.note(line)
    told = line
    if (isOver(now)) return now
    await sleep(everyMs, undefined, { signal: deadline }).catch((cause: unknown) => {
      throw problem(lateAs, late(now), { cause })
    })
  }
}
