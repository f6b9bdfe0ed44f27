import { compareVersions } from '@agentopia/dtma/contract'

/**
 * The oldest DTMA that this control plane works with. An older one goes on: its tools run, and by its tunnel it can be
 * updated; but it is told, and people are.
 */
export const OLDEST_DTMA = '0.1.0'

export const isTooOld = (version: string): boolean => compareVersions(version, OLDEST_DTMA) < 0
