import { systemClock } from './clock.ts'
import { memoryLog } from './control-plane.testing.ts'
import { type Credentials, openIdentity } from './identity.ts'
import { startUplink, type UplinkDeps } from './uplink.ts'

/** The enrolment token that a DTMA of these tests was given. */
export const TOKEN = 'token-0123456789abcdef'

export interface TestUplink {
  readonly baseUrl: string
  /** Of its identity. */
  readonly directory: string
  readonly token?: () => string | undefined
  readonly signal: AbortSignal
  readonly more?: Partial<UplinkDeps>
}

/** One life of a DTMA that has nothing to report. Its waits are short, but seen. */
export function startTestUplink({ baseUrl, directory, token = () => TOKEN, signal, more }: TestUplink) {
  const log = memoryLog()
  const waits: number[] = []
  const received: Credentials[] = []
  const uplink = startUplink(
    {
      baseUrl,
      enrolment: {
        identity: openIdentity(directory),
        toolboxId: 'toolbox_a',
        token,
        machine: { hostname: 'h', os: 'o', arch: 'a' },
      },
      given: undefined,
      onCredentials: (credentials) => received.push(credentials),
      onKey: () => {},
      report: () => ({ docker: { state: 'ok' }, system: {} as never, tools: [] }),
      listener: () => {},
      runId: 'run',
      version: '1',
      log,
      clock: {
        ...systemClock,
        random: () => 0.5,
        sleep: (ms, signal) => {
          waits.push(ms)
          return systemClock.sleep(20, signal)
        },
      },
      ...more,
    },
    signal,
  )
  return { uplink, log, waits, received }
}
