import type { Operation } from '@agentopia/api'
import { Unreachable } from './unreachable.ts'

type Repeated = Pick<Operation, 'method' | 'problems'>

/** With a key, a request that comes again is known as the same. */
export const isKeyed = ({ problems }: Repeated): boolean => problems.includes('idempotency-key-reused')

const MOST = 2

/**
 * Whether what somebody asked for is sent again by itself: nothing came back, as when a laptop changes networks, and the first
 * request, should it have arrived, makes the second one change nothing.
 * @param failures How often it was sent again already.
 */
export const isSentAgain = (op: Repeated, failures: number, error: unknown): boolean =>
  failures < MOST && error instanceof Unreachable && (isKeyed(op) || op.method === 'PUT')
