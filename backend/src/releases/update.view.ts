import type { DtmaRelease, ToolboxUpdate } from '@agentopia/api'
import { compareVersions } from '@agentopia/dtma/contract'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { Newest } from './releases.ts'
import { isLastWord } from './update.give-up.ts'
import { isTooOld } from './version-floor.ts'

/** How the DTMA of a toolbox stands to what this control plane gives out. `undefined`: nobody has heard it yet. */
export function releaseOf(
  { provider, dtmaVersion, installation }: Pick<ToolboxRow, 'provider' | 'dtmaVersion' | 'installation'>,
  given: Newest,
): DtmaRelease | undefined {
  if (!dtmaVersion) return undefined
  const newest = given[installation ?? 'container']
  // This machine's own DTMA follows the image whenever the product is started.
  const isNewer = newest !== undefined && provider !== 'local' && compareVersions(newest, dtmaVersion) > 0
  return {
    standing: isTooOld(dtmaVersion) ? 'too_old' : isNewer ? 'outdated' : 'current',
    ...(isNewer ? { newer: newest } : {}),
  }
}

/** The last update, from what was asked for and what was seen of it. */
export function updateOf(
  row: Pick<ToolboxRow, 'updateAsked' | 'updateState' | 'updateRefusal'>,
): ToolboxUpdate | undefined {
  const { updateAsked: asked, updateState: state, updateRefusal: refusal } = row
  if (!asked) return undefined
  const { attempt, version, askedAt } = asked
  if (refusal?.attempt === attempt && isLastWord(refusal, state)) {
    const { reason, message, at, isGivenUp, heard } = refusal
    const from = heard && { from: heard.from }
    return { version, askedAt, ...from, phase: isGivenUp ? 'unanswered' : 'refused', reason, message, since: at }
  }
  if (state?.attempt === attempt) {
    const { phase, from, percent, reason, message, since } = state
    return {
      version,
      askedAt,
      from,
      phase,
      since,
      ...(percent === undefined ? {} : { percent }),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    }
  }
  return { version, askedAt, phase: 'asked', since: askedAt }
}
