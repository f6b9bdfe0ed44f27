import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, getToolbox, problem, type Toolbox } from '@agentopia/api'
import type { Output } from '../../output.ts'

const POLL_MS = 1_000

/** Follows a toolbox until it is active, telling each stage. @throws {ProblemError} when it failed, or time is up. */
export async function awaitActive(
  client: Client,
  toolboxId: string,
  output: Output,
  signal: AbortSignal,
  seconds: number,
): Promise<Toolbox> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1_000)])
  let told = ''
  for (;;) {
    const now = await client.call(getToolbox, { params: { toolboxId } }, { signal: deadline })
    const stage = now.boot?.stages.at(-1)
    const line = [now.status.replaceAll('_', ' '), stage && `${stage.stage} ${stage.state}`, now.statusReason]
      .filter(Boolean)
      .join(': ')
    if (line !== told) output.note(line)
    told = line
    if (now.status === 'active') return now
    if (now.status === 'error_provisioning' || now.status === 'lost')
      throw problem('provider-refused', now.statusReason ?? `${now.name} could not be provisioned`)
    await sleep(POLL_MS, undefined, { signal: deadline }).catch((cause: unknown) => {
      throw problem('call-timeout', `${now.name} is ${now.status} after ${seconds} s`, { cause })
    })
  }
}
