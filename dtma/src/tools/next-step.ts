/** What is wanted of a tool, as far as the next step depends on it. */
export interface Wanted {
  readonly desired: 'running' | 'stopped' | 'absent'
  readonly generation: number
  readonly specHash: string
  /** A container that shall be replaced although it fits. */
  readonly replace?: string | undefined
}

/** The container of the tool that is proven to be ours. */
export interface ObservedContainer {
  readonly id: string
  readonly generation: number
  readonly specHash: string
  /** Docker's word; `running` includes `restarting`. `dead`: its removal has failed, and it can never be started again. */
  readonly state: 'created' | 'running' | 'paused' | 'exited' | 'dead' | 'removing'
}

/** What this run of DTMA knows beside what Docker shows. */
export interface Known {
  /** Whether the image of the wanted spec is here. */
  readonly image: 'unknown' | 'absent' | 'present'
  /** Container with which an MCP session is open. */
  readonly session?: string | undefined
  /** Monotonic milliseconds: no start and no pull before this time. */
  readonly retryAt: number
  /** Monotonic milliseconds: when the server's health is due to be looked at. */
  readonly checkAt: number
  /** The running container was started with secrets that are not to be used any more. */
  readonly staleSecrets?: boolean
  /** The running server did what no session survives. */
  readonly broken?: boolean
}

export type Step =
  /** Nothing until something changes or that many milliseconds have passed. */
  | { readonly do: 'wait'; readonly ms?: number }
  | { readonly do: 'find-image' | 'make-image' | 'create' | 'forget' }
  | { readonly do: 'start' | 'unpause' | 'open' | 'check' | 'stop' | 'remove'; readonly container: ObservedContainer }

/**
 * Decides; touches nothing. One step at a time, each of which may be repeated: after it the world is looked at again.
 * @param now Monotonic milliseconds.
 */
export function nextStep(wanted: Wanted, container: ObservedContainer | undefined, known: Known, now: number): Step {
  if (container?.state === 'removing') return { do: 'wait', ms: 1_000 }
  if (wanted.desired === 'absent') return container ? discard(container) : { do: 'forget' }
  if (wanted.desired === 'stopped') return halt(wanted, container)

  if (container?.state === 'dead') return notBefore(known.retryAt, now, { do: 'remove', container })
  if (container && (known.staleSecrets || known.broken) && isAlive(container)) return { do: 'stop', container }
  if (container?.state === 'paused') return notBefore(known.retryAt, now, { do: 'unpause', container })
  if (!container || isOutdated(wanted, container)) {
    // The old container serves until the image of its successor is there.
    if (known.image === 'unknown') return { do: 'find-image' }
    if (known.image === 'absent') return notBefore(known.retryAt, now, { do: 'make-image' })
    return container ? discard(container) : notBefore(known.retryAt, now, { do: 'create' })
  }
  if (container.state !== 'running') return notBefore(known.retryAt, now, { do: 'start', container })
  if (known.session !== container.id) return { do: 'open', container }
  return notBefore(known.checkAt, now, { do: 'check', container })
}

function halt(wanted: Wanted, container: ObservedContainer | undefined): Step {
  if (!container) return { do: 'wait' }
  if (isAlive(container)) return { do: 'stop', container }
  return container.state === 'dead' || isOutdated(wanted, container) ? { do: 'remove', container } : { do: 'wait' }
}

/** Whether processes are in it, with all that they were given. */
export const isAlive = ({ state }: ObservedContainer): boolean => state === 'running' || state === 'paused'

/** Whether another container is wanted than this one. */
export const isOutdated = (
  { generation, specHash, replace }: Omit<Wanted, 'desired'>,
  container: ObservedContainer,
): boolean => container.generation !== generation || container.specHash !== specHash || container.id === replace

const discard = (container: ObservedContainer): Step =>
  isAlive(container) ? { do: 'stop', container } : { do: 'remove', container }

const notBefore = (time: number, now: number, step: Step): Step => (time > now ? { do: 'wait', ms: time - now } : step)
