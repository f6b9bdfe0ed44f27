import { readFileSync } from 'node:fs'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'

/** The file is read when the token is needed: it may be written after we were started. */
export function enrolmentTokenOf({ uplink }: Pick<Config, 'uplink'>, log: Log): string | undefined {
  if (uplink?.enrolmentToken !== undefined || uplink?.enrolmentTokenFile === undefined) return uplink?.enrolmentToken
  try {
    const token = readFileSync(uplink.enrolmentTokenFile, 'utf8').trim()
    log.redact(token)
    return token === '' ? undefined : token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    log.warn('the enrolment token cannot be read', { file: uplink.enrolmentTokenFile, error })
    return undefined
  }
}
