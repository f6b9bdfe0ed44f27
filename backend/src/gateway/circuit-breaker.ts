import { ProblemError } from '@agentopia/api'
import { ComeAgain } from '../http/come-again.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { CallUpstream } from './upstream.ts'

/** So many broken connections one after the other, and the instance is left alone. */
const MOST_FAILURES = 5
/** How long, in milliseconds; doubled each time that the call that tries it out fails too. */
const FIRST_REST_MS = 2_000
const LONGEST_REST_MS = 30_000

interface Circuit {
  /** Broken connections since the last answer. */
  failures: number
  /** Calls are refused until then; 0: they are not. */
  openUntil: number
  restMs: number
  /** One call is out to see whether the instance is back. */
  trying: boolean
}

/**
 * Leaves an instance alone whose connection broke again and again: calls are refused at once instead of each waiting for its own
 * failure, and after a rest one call tries it out. Only what breaks on the way counts. What the tool or DTMA answers, how slow it
 * is, and that a toolbox is not connected (which costs nothing to find out) do not, so that no caller can close it for others.
 */
export function withCircuitBreaker(callUpstream: CallUpstream, clock: Pick<Clock, 'steady'>): CallUpstream {
  /** Only instances that fail now: an answer forgets. */
  const circuits = new Map<string, Circuit>()

  function refuseWhileOpen(instanceId: string): Circuit | undefined {
    const circuit = circuits.get(instanceId)
    if (!circuit || circuit.openUntil === 0) return undefined
    const rest = circuit.openUntil - clock.steady()
    if (rest > 0 || circuit.trying)
      throw new ComeAgain(
        'circuit-open',
        `The connection to this tool broke ${circuit.failures} times in a row`,
        Math.max(1, Math.ceil(rest / 1_000)),
      )
    circuit.trying = true
    return circuit
  }

  function broke(instanceId: string): void {
    const circuit = circuits.get(instanceId) ?? { failures: 0, openUntil: 0, restMs: FIRST_REST_MS, trying: false }
    circuits.set(instanceId, circuit)
    circuit.failures += 1
    if (circuit.failures < MOST_FAILURES) return
    circuit.openUntil = clock.steady() + circuit.restMs
    circuit.restMs = Math.min(circuit.restMs * 2, LONGEST_REST_MS)
  }

  return async (call) => {
    const { instanceId } = call
    const trial = refuseWhileOpen(instanceId)
    try {
      const reply = await callUpstream(call)
      circuits.delete(instanceId)
      return reply
    } catch (error) {
      if (isBrokenConnection(error)) broke(instanceId)
      else if (isAnswer(error)) circuits.delete(instanceId)
      throw error
    } finally {
      if (trial) trial.trying = false
    }
  }
}

/** It broke on the way: underneath is no problem that somebody stated, but a failure of the connection. */
function isBrokenConnection(error: unknown): boolean {
  if (!(error instanceof ProblemError) || !(error.cause instanceof Error)) return false
  return ['toolbox-unreachable', 'tool-failed'].includes(error.code) && !(error.cause instanceof ProblemError)
}

/** Somebody at the other end said this. */
const isAnswer = (error: unknown): boolean => error instanceof ProblemError && error.cause instanceof ProblemError
