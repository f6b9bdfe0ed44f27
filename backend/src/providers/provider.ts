import type { Provider } from '@agentopia/api'

/** A machine as its provider sees it. */
export interface Machine {
  /** Provider-scoped identifier: a container name, a droplet id, an address. */
  readonly ref: string
  /** `paused`: it exists, holds its memory and its connections, and does nothing. */
  readonly state: 'creating' | 'running' | 'paused' | 'stopped'
  /** Made from the present recipe: image, environment and all. Otherwise it is to be replaced. */
  readonly current: boolean
  /** Set when `state` is `running` and the provider knows since when. */
  readonly startedAt?: Date
  /** Set when `state` is `stopped` and the provider knows how it ended. 137 is SIGKILL, 143 an unhandled SIGTERM. */
  readonly exit?: { readonly code: number; readonly at: Date }
  /** One sentence for people: what the provider saw. */
  readonly description: string
  /** Public IPv4 address, when the provider knows it: there it is dialled on the direct road. */
  readonly address?: string
  /** For when nothing comes from DTMA: what that means for such a machine, and what to do, by how the connection ended. */
  readonly silence?: Readonly<Record<'broken' | 'silent', { readonly summary: string; readonly remedy: string }>>
  /** The command or action that brings it back, when its state asks for one. */
  readonly remedy?: string
}

/** Knows what became of the machine of a toolbox. @throws {ProviderError} */
export interface MachineFinder {
  /** `unmade`: there is none yet, as far as is known. `undefined`: there is none any more. */
  find(toolboxId: string, signal: AbortSignal): Promise<Machine | 'unmade' | undefined>
  /** What to do when there is none any more. */
  readonly absentRemedy?: string
}

/**
 * Makes machines that run DTMA. Every method is idempotent and safe to repeat after a lost reply.
 *
 * @throws {ProviderError}
 */
export interface ToolboxProvider extends MachineFinder {
  readonly name: Provider
  /** The machine made for this toolbox, if any. Found by label, so it survives the loss of our database. */
  find(toolboxId: string, signal: AbortSignal): Promise<Machine | undefined>
  /** Makes or replaces the machine and starts it; returns when it was started, not when DTMA reports. @param enrolmentToken Right to become this toolbox; never put where a process list or an inspect shows it. */
  create(toolboxId: string, enrolmentToken: string, signal: AbortSignal): Promise<void>
  /** Hands a new enrolment token to a machine whose earlier one has expired. */
  renewToken(toolboxId: string, enrolmentToken: string, signal: AbortSignal): Promise<void>
  /** Starts a stopped machine. */
  start(toolboxId: string, signal: AbortSignal): Promise<void>
  /** Succeeds when there is nothing to destroy. */
  destroy(toolboxId: string, signal: AbortSignal): Promise<void>
}

/** Why a provider could not do it, in a sentence that names the fix. Shown to people as the reason of a status. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'
}
