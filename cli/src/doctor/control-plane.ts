import { type Client, getInfo, getMe, ProblemError } from '@agentopia/api'
import { type Finding, failed, ok, skipped } from './finding.ts'

/** Beyond this, tokens and certificates may be taken for expired. */
const SKEW_MS = 30_000
const LOOK_MS = 10_000

export interface ControlPlaneLook {
  readonly client: Client
  /** Without the token: one that is wrong is refused everywhere. */
  readonly anonymous: Client
  readonly url: string
  /** Of this command line. */
  readonly version: string
  readonly hasToken: boolean
  readonly now: () => number
  readonly signal: AbortSignal
}

/** Whether it answers, is of our version, agrees on the time, and knows us. */
export async function checkControlPlane(look: ControlPlaneLook): Promise<readonly Finding[]> {
  const { client, anonymous, url, version, hasToken, now } = look
  const signal = AbortSignal.any([look.signal, AbortSignal.timeout(LOOK_MS)])
  const begun = now()
  let response: Response
  let info: { version?: unknown; product?: unknown; recoveringSince?: unknown }
  try {
    response = await anonymous.open(getInfo, {}, { signal })
    info = (await response.json()) as typeof info
  } catch (error) {
    const why = error instanceof ProblemError ? error.message : 'it did not answer'
    return [
      failed(
        'control-plane',
        `No control plane at ${url}: ${why}`,
        'Start it with `npm start`, or set AGENTOPIA_URL to where it is.',
      ),
      ...['version', 'clock', 'sign-in'].map((id) => skipped(id, 'The control plane does not answer')),
    ]
  }
  const ended = now()
  return [
    ok('control-plane', `${url} answered in ${Math.round(ended - begun)} ms`),
    info.version === version
      ? ok('version', `Control plane and command line are of version ${version}`)
      : failed(
          'version',
          `The control plane is of version ${String(info.version)}, this command line of ${version}`,
          'Use the command line that came with the control plane, or upgrade the older of the two.',
        ),
    clockOf(response.headers.get('date'), begun, ended),
    ...(info.recoveringSince === undefined
      ? []
      : [
          failed(
            'recovery',
            'Its database was restored from a copy, so nothing is carried out',
            'On its machine: `npm run recovery` says what differs, `npm run end-recovery` lets it act again.',
          ),
        ]),
    hasToken
      ? await signInOf(client, signal)
      : failed('sign-in', 'No token is stored here', 'Run `npm run -s sign-in-link | agentopia login`.'),
  ]
}

/** The answer says when it was made, to the second. */
function clockOf(date: string | null, begun: number, ended: number): Finding {
  const there = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(there)) return skipped('clock', 'The control plane did not say what time it is')
  const here = (begun + ended) / 2
  const seconds = Math.round((here - there) / 1_000)
  if (Math.abs(here - there) <= SKEW_MS)
    return ok('clock', `This clock and that of the control plane agree within ${Math.abs(seconds)} s`)
  return failed(
    'clock',
    `This clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} that of the control plane`,
    'Set the wrong one of them: timedatectl set-ntp true.',
  )
}

async function signInOf(client: Client, signal: AbortSignal): Promise<Finding> {
  try {
    const { user, role, account } = await client.call(getMe, {}, { signal })
    return ok('sign-in', `Signed in as ${user.email} (${role} of ${account.name})`)
  } catch (error) {
    const why = error instanceof ProblemError ? error.message : 'no answer'
    return failed(
      'sign-in',
      `The stored token opens nothing: ${why}`,
      'Run `npm run -s sign-in-link | agentopia login`.',
    )
  }
}
