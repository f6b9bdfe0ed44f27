import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, getInstance, problem, type ToolInstance } from '@agentopia/api'
import type { Output } from '../../output.ts'

const POLL_MS = 500

/** Follows an instance until it is running, or ready for the agents' own secrets, telling each step. @throws {ProblemError} when it is blocked, or time is up. */
export async function untilRunning(
  client: Client,
  instance: ToolInstance,
  output: Output,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<ToolInstance> {
  const params = { toolboxId: instance.toolboxId, instanceId: instance.id }
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  let told = ''
  for (;;) {
    const now = await client.call(getInstance, { params }, { signal: deadline })
    const step = [
      now.state,
      now.progress?.percent === undefined ? '' : `${Math.round(now.progress.percent)} %`,
      now.progress?.step ?? now.message ?? '',
    ]
      .filter(Boolean)
      .join('  ')
    if (step !== told) output.note(step)
    told = step
    if (now.state === 'running' && now.observedGeneration === now.generation && now.capabilityCount !== undefined)
      return now
    if (now.state === 'created' && now.reason === 'missing_credential') return now
    if (now.state === 'blocked') throw problem('tool-failed', now.message ?? `${now.name} is blocked: ${now.reason}`)
    await sleep(POLL_MS, undefined, { signal: deadline }).catch((cause: unknown) => {
      throw problem('call-timeout', `${now.name} is ${now.state} after ${timeoutMs / 1000} s`, { cause })
    })
  }
}
