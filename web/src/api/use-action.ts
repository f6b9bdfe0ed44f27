import { type Input, type Operation, ProblemError, type Reply } from '@agentopia/api'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { callOperation } from './client.ts'
import { createKeyring } from './idempotency.ts'
import { withPresence } from './presence.ts'
import { isKeyed, type Pace, withRepetition } from './repetition.ts'

export interface ActionOptions {
  /** How long the answer may take. */
  readonly deadlineMs?: number
}

/**
 * Asks the server to do something. It is pending until the server answered and what is on the page was read again:
 * nothing is shown as done before the server says so. Where the person has to show to be there, that is asked for first. When the
 * connection broke, it is sent again where the server knows it as the same.
 */
export function useAction<Op extends Operation>(op: Op, { deadlineMs }: ActionOptions = {}) {
  const queries = useQueryClient()
  const [keyring] = useState(() => createKeyring(randomKey))
  return useMutation<Reply<Op>, Error, Input<Op>>({
    mutationKey: [op.id],
    mutationFn: (input) =>
      withPresence(() =>
        withRepetition(op, pace, () =>
          callOperation(op, input, {
            ...(deadlineMs === undefined ? {} : { deadlineMs }),
            ...(isKeyed(op) ? { headers: { 'idempotency-key': keyring.keyFor(input) } } : {}),
          }),
        ),
      ),
    onError: (error) => {
      // It was answered, and for good: whoever asks again wants another try, not to hear the same again.
      if (error instanceof ProblemError && !error.kind.retryable) keyring.done()
    },
    onSuccess: async () => {
      keyring.done()
      await queries.invalidateQueries()
    },
  })
}

const pace: Pace = {
  now: Date.now,
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
}

/** 128 random bits. `crypto.randomUUID` is not there on a page that came by plain HTTP from another machine. */
const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
