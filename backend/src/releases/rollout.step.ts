/** How a toolbox of the account stands to a rollout. */
export type Standing =
  /** It may be asked to update. */
  | 'waiting'
  | 'under_way'
  | 'updated'
  /** It fell back, failed, or is not well since. */
  | 'unwell'
  /** It was not well when somebody let the rollout go on: it counts no more. */
  | 'forgiven'

export interface Member {
  readonly toolboxId: string
  readonly standing: Standing
}

export type RolloutStep =
  | { readonly kind: 'ask'; readonly toolboxIds: readonly string[] }
  | { readonly kind: 'wait' }
  | { readonly kind: 'halt'; readonly reason: string }
  | { readonly kind: 'finish' }

/** So large a share of those that it reached may not be unwell, and one is too many where it is as large. */
const HALT_SHARE = 0.05
/** Of all: the second wave. */
const SECOND_SHARE = 0.1
/** However many there are. */
const MOST_AT_ONCE = 20

/**
 * What a rollout does next. One toolbox goes first, then a tenth of all, then the rest, never more than a few at once; a wave
 * begins when every one of the wave before has ended. Decides; touches nothing.
 */
export function nextStep(members: readonly Member[]): RolloutStep {
  const of = (standing: Standing) => members.filter((member) => member.standing === standing)
  const [waiting, underWay, updated, unwell] = [of('waiting'), of('under_way'), of('updated'), of('unwell')]
  const ended = updated.length + unwell.length
  if (unwell.length > 0 && unwell.length >= HALT_SHARE * ended)
    return { kind: 'halt', reason: `${unwell.length} of the ${ended} toolboxes that it reached are not well` }
  if (waiting.length === 0) return underWay.length > 0 ? { kind: 'wait' } : { kind: 'finish' }

  const reached = members.length - waiting.length
  const wave = waves(members.length).find((size) => size > reached) ?? members.length
  const begins = waves(members.length).includes(reached)
  if (begins && underWay.length > 0) return { kind: 'wait' }
  const room = Math.min(MOST_AT_ONCE - underWay.length, wave - reached)
  if (room <= 0) return { kind: 'wait' }
  return { kind: 'ask', toolboxIds: waiting.slice(0, room).map(({ toolboxId }) => toolboxId) }
}

/** How many toolboxes have been reached when a wave is over, of all but the last. */
const waves = (all: number): readonly number[] => [1, 1 + Math.ceil(SECOND_SHARE * all)].filter((size) => size < all)
