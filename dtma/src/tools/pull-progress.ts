import type { ProgressLine } from '../engine/docker.types.ts'

export interface Progress {
  readonly step: string
  /** 0 to 100; absent when it is not known. */
  readonly percent?: number
}

/** Downloading is most of a layer's way, unpacking the rest. */
const DOWNLOAD_SHARE = 0.7
const MAX_LAYERS = 500

/** Adds up the layers of a pull. Feed it every line; it returns the whole. The percentage never falls. */
export function createPullProgress(): (line: ProgressLine) => Progress {
  const layers = new Map<string, number>()
  let percent = 0

  return (line) => {
    const share = shareOf(line)
    if (line.id !== undefined && share !== undefined && (layers.has(line.id) || layers.size < MAX_LAYERS))
      layers.set(line.id, Math.max(share, layers.get(line.id) ?? 0))
    if (layers.size === 0) return { step: 'Asking the registry' }

    const done = [...layers.values()].filter((value) => value === 1).length
    const sum = [...layers.values()].reduce((total, value) => total + value, 0)
    percent = Math.max(percent, Math.round((sum / layers.size) * 100))
    return { step: `Pulling: ${done} of ${layers.size} layers`, percent }
  }
}

/** How much of a layer is done, 0 to 1. `undefined`: the line does not speak of a layer. */
function shareOf({ status = '', progressDetail }: ProgressLine): number | undefined {
  const { current = 0, total = 0 } = progressDetail ?? {}
  const part = total > 0 ? Math.min(current / total, 1) : 0
  if (status === 'Pulling fs layer' || status === 'Waiting') return 0
  if (status === 'Downloading') return part * DOWNLOAD_SHARE
  if (status === 'Verifying Checksum' || status === 'Download complete') return DOWNLOAD_SHARE
  if (status === 'Extracting') return DOWNLOAD_SHARE + part * (1 - DOWNLOAD_SHARE) * 0.99
  if (status === 'Pull complete' || status === 'Already exists') return 1
  return undefined
}
