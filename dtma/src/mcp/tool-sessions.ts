import { ProblemError } from '../contract/problem.ts'
import { problem } from '../contract/problems.ts'
import type { SessionListener, ToolCalls, ToolSessions } from '../tools/tool-sessions.ts'
import { withDeadline } from './deadline.ts'
import { openSession, type Session } from './session.ts'

export interface ToolSessionsDeps {
  readonly version: string
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number
}

/** The sessions, the calls through them, and the look-up that the HTTP face needs. */
export interface McpBridge extends ToolSessions, ToolCalls {
  /** @throws {ProblemError} `tool-not-running`. */
  sessionOf(name: string): Session
}

export function createMcpBridge({ version, random }: ToolSessionsDeps): McpBridge {
  const sessions = new Map<string, Session>()
  const listeners = new Set<SessionListener>()
  const tell: SessionListener = (...news) => {
    for (const listener of listeners) listener(...news)
  }

  function sessionOf(name: string): Session {
    const session = sessions.get(name)
    if (!session) throw problem('tool-not-running', `The tool ${name} has no MCP session now`)
    return session
  }

  function close(name: string): void {
    sessions.get(name)?.close()
    sessions.delete(name)
  }

  return {
    sessionOf,
    close,
    async open(target, signal) {
      close(target.name)
      let mine: Session | undefined
      const session = await openSession(
        target,
        {
          version,
          firstId: 1 + Math.floor(random() * 2 ** 32) * 2 ** 20,
          onChange: (info) => tell(target.name, info),
          onLost(why) {
            if (mine === undefined || sessions.get(target.name) !== mine) return
            sessions.delete(target.name)
            tell(target.name, undefined, why)
          },
        },
        signal,
      )
      mine = session
      sessions.set(target.name, session)
      return session.info
    },
    async check(name, signal) {
      await sessionOf(name)
        .check(signal)
        .catch((error: unknown) => {
          throw signal.aborted
            ? problem('tool-timeout', 'The tool did not answer a ping in time', { cause: error })
            : asProblem(error)
        })
    },
    onChange: (listener) => void listeners.add(listener),
    async call(name, capability, args, timeoutMs, signal) {
      const params = { name: capability, arguments: args }
      const limit = {
        ms: timeoutMs,
        signal,
        tooLate: (cause: unknown) =>
          problem('tool-timeout', `${capability} did not end within ${timeoutMs} ms`, { cause }),
      }
      const answer = await withDeadline(limit, (end) =>
        sessionOf(name).request({ method: 'tools/call', params, signal: end }),
      ).catch((error: unknown) => {
        throw asProblem(error)
      })
      if ('error' in answer)
        throw problem('tool-protocol-error', `The tool refused ${capability}: ${answer.error.message.slice(0, 1_000)}`)
      return answer.result
    },
  }
}

/** Whatever a broken server provokes in us has a name of the catalogue. */
export const asProblem = (error: unknown): Error =>
  error instanceof ProblemError || (error as Error)?.name === 'AbortError'
    ? (error as Error)
    : problem(
        'tool-protocol-error',
        `The tool broke the exchange: ${String((error as Error)?.message ?? error).slice(0, 300)}`,
        { cause: error },
      )
