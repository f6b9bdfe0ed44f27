/** Silence from which a toolbox is shown as suspect, and from which it is unresponsive. */
const SUSPECT_MS = 30_000
export const UNRESPONSIVE_MS = 60_000
/** After our own start (or a pause of ours) a toolbox that has not been heard since gets so long: its silence may be our absence. */
const GRACE_MS = 300_000

/** A mass silence is ours until proven otherwise: so many at once within {@link BREAKER_WINDOW_MS} freeze the decision … */
const BREAKER_LEAST = 3
const BREAKER_SHARE = 0.3
const BREAKER_WINDOW_MS = 60_000
/** … but not for ever: a status that nobody believes any more must not be shown as true. */
const FREEZE_MS = 300_000

/** A toolbox whose status is `active`. */
export interface ActiveToolbox {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly lastHeartbeatAt: number
}

/** What the watch remembers between two looks. */
export interface Watch {
  /** Since when we have been listening without a gap. */
  readonly listeningSince: number
  /** When toolboxes became unresponsive, within the window. */
  readonly flips: readonly number[]
  /** Since when a mass silence has kept us from acting. */
  readonly frozenSince?: number
}

export interface Verdict {
  readonly unresponsive: readonly string[]
  /** Changed with this look; absent: as before. */
  readonly breaker?: 'frozen' | 'released'
  readonly watch: Watch
}

/** Has the toolbox been silent for `limit`, counting only the time in which we would have heard it? */
export function isSuspect(lastHeartbeatAt: number, listeningSince: number, now: number): boolean {
  return now - Math.max(lastHeartbeatAt, listeningSince) >= SUSPECT_MS
}

function isSilent({ lastHeartbeatAt }: ActiveToolbox, listeningSince: number, now: number): boolean {
  // Heard in the future: our clock was set back since, and what was heard before says nothing about now.
  if (lastHeartbeatAt > now) return now - listeningSince >= GRACE_MS
  if (now - lastHeartbeatAt < UNRESPONSIVE_MS) return false
  return lastHeartbeatAt >= listeningSince || now - listeningSince >= GRACE_MS
}

/** Which of the active toolboxes have become unresponsive. Decides; touches nothing. */
export function judgeSilence(active: readonly ActiveToolbox[], watch: Watch, now: number): Verdict {
  const silent = active.filter((toolbox) => isSilent(toolbox, watch.listeningSince, now)).map(({ id }) => id)
  const recent = watch.flips.filter((at) => now - at < BREAKER_WINDOW_MS)
  const { listeningSince, frozenSince } = watch
  const mass = silent.length > 0 && silent.length + recent.length >= threshold(active.length + recent.length)

  if (mass && now - (frozenSince ?? now) < FREEZE_MS) {
    const held = { listeningSince, flips: recent, frozenSince: frozenSince ?? now }
    return { unresponsive: [], watch: held, ...(frozenSince === undefined ? { breaker: 'frozen' } : {}) }
  }
  // What was decided after a freeze has been waited for: it does not count as sudden.
  const flips = mass ? recent : [...recent, ...silent.map(() => now)]
  return {
    unresponsive: silent,
    watch: { listeningSince, flips },
    ...(frozenSince === undefined ? {} : { breaker: 'released' }),
  }
}

const threshold = (toolboxes: number): number => Math.max(BREAKER_LEAST, Math.ceil(toolboxes * BREAKER_SHARE))
