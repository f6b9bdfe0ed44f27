import type { ToolReason } from '../contract/tool.ts'
import { EngineError } from '../engine/engine-error.ts'

/** Why a tool cannot go on, with the name that the status shows. The message is for people and holds no secret. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
  readonly reason: ToolReason
  /** Trying the same again soon is pointless: only another spec, or a change outside, can help. */
  readonly lasting: boolean

  constructor(reason: ToolReason, message: string, { lasting = false, ...options }: FailureOptions = {}) {
    super(message, options)
    this.reason = reason
    this.lasting = lasting
  }
}

interface FailureOptions extends ErrorOptions {
  readonly lasting?: boolean
}

/** Names a failure of the engine in the words of a tool's status; what is no {@link EngineError} is `internal`. */
export function toolFailureOf(error: unknown): ToolFailure {
  if (error instanceof ToolFailure) return error
  if (!(error instanceof EngineError))
    return new ToolFailure('internal', error instanceof Error ? error.message : String(error), { cause: error })
  const options = { cause: error }
  if (error.fault === 'down') return new ToolFailure('docker_down', error.message, options)
  if (error.fault === 'hung') return new ToolFailure('docker_hung', error.message, options)
  if (error.fault === 'disk-full') return new ToolFailure('disk_full', error.message, options)
  if (error.fault === 'no-firewall')
    return new ToolFailure(
      'isolation_failed',
      `Docker's own firewall rules are gone. Restart Docker on the toolbox. ${error.message}`,
      options,
    )
  if (error.fault === 'conflict') return new ToolFailure('name_conflict', error.message, options)
  if (error.fault === 'invalid') return new ToolFailure('policy_denied', error.message, { ...options, lasting: true })
  return new ToolFailure('internal', error.message, options)
}
