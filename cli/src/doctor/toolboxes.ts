import { type Client, diagnoseToolbox, ProblemError, refreshToolboxStatus, type Toolbox } from '@agentopia/api'
import { type Finding, failed, ok, skipped } from './finding.ts'

const LOOK_MS = 30_000
/** Not there yet, or not there any more: nothing of these is wrong. */
const RESTING: readonly Toolbox['status'][] = [
  'pending_provision',
  'provisioning',
  'awaiting_heartbeat',
  'resizing',
  'pending_deprovision',
  'deprovisioning',
  'deprovisioned',
]

/** What the control plane sees of a toolbox now, and what its DTMA finds of itself: Docker, disk, clock, network and the rest. */
export async function checkToolbox(
  client: Client,
  { id: toolboxId, name, status }: Toolbox,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (RESTING.includes(status)) return [skipped(name, `The toolbox is ${status.replaceAll('_', ' ')}`)]
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
  const params = { toolboxId }
  try {
    const { observation } = await client.call(refreshToolboxStatus, { params }, { signal: limit })
    const { code, summary, nextStep } = observation
    const seen =
      code === 'reachable'
        ? ok(name, summary)
        : failed(name, summary, nextStep ?? `See \`agentopia toolbox refresh ${name}\`.`)
    if (!['reachable', 'docker_down', 'docker_hung'].includes(code)) return [seen]
    const { checks } = await client.call(diagnoseToolbox, { params }, { signal: limit })
    return [
      seen,
      ...checks.map((check) => {
        const id = `${name}/${check.id}`
        return check.ok ? ok(id, check.finding) : failed(id, check.finding, check.fix ?? 'Read the log of DTMA.')
      }),
    ]
  } catch (error) {
    const why = error instanceof ProblemError ? error.message : 'no answer in time'
    return [failed(name, `It could not be looked at: ${why}`, `See \`agentopia toolbox refresh ${name}\`.`)]
  }
}
