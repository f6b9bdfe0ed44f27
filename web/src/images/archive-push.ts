import { type ImageArchive, MOST_ARCHIVE_BYTES, MOST_PART_BYTES, ProblemError, problem } from '@agentopia/api'
import { backoffMs } from '../api/backoff.ts'
import { Unreachable } from '../api/unreachable.ts'

/** The first part, and each after a break: small enough to show on a slow line that it moves. */
export const PART_BYTES = 2 * 2 ** 20
/** The next part is twice as large after one that arrived in less: each costs a write to the disk and one to the database. */
const SOON_MS = 2_000

/** So often in a row it is asked again without a byte more having arrived. */
export const MOST_IN_VAIN = 5

/** The archive, as whoever pushes it has it. */
export interface ArchiveSource {
  readonly name: string
  readonly size: number
  /** SHA-256 over all of it. @param onRead Told how many bytes are read. */
  digest(onRead: (bytes: number) => void, signal: AbortSignal): Promise<string>
  /** A part, which the browser reads when it sends it: the page holds none of it. Smaller where it ends. @throws When it cannot be read any more. */
  read(offset: number, length: number): Promise<Blob>
}

/** The way to the control plane, and time. */
export interface ArchiveRoad {
  begin(whole: { readonly digest: string; readonly size: number }, signal: AbortSignal): Promise<ImageArchive>
  append(
    at: { readonly digest: string; readonly offset: number },
    part: Blob,
    signal: AbortSignal,
  ): Promise<ImageArchive>
  /** Returns early when `signal` aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** Between 0 and 1. */
  random(): number
  /** Milliseconds since some moment. */
  now(): number
}

export interface PushStep {
  /** `waiting`: the line broke, it goes on by itself. `checking`: the last part is on its way, after which the control plane looks at the whole. */
  readonly phase: 'reading' | 'sending' | 'waiting' | 'checking'
  /** That were read; then, that have arrived. */
  readonly bytes: number
}

/**
 * Pushes an archive. What was interrupted, here or in an earlier attempt, goes on from the byte that the control plane names.
 * @throws {ProblemError} What the control plane said; `invalid-image` when the file is none, or changes meanwhile.
 */
export async function pushArchive(
  source: ArchiveSource,
  road: ArchiveRoad,
  onStep: (step: PushStep) => void,
  signal: AbortSignal,
): Promise<ImageArchive> {
  const { name, size } = source
  if (size === 0) throw problem('invalid-image', `${name} is empty`)
  if (size > MOST_ARCHIVE_BYTES)
    throw problem('invalid-image', `${name} is larger than ${MOST_ARCHIVE_BYTES / 2 ** 30} GiB`)
  onStep({ phase: 'reading', bytes: 0 })
  const digest = await source.digest((bytes) => onStep({ phase: 'reading', bytes }), signal)

  let archive: ImageArchive | undefined
  let furthest = -1
  let partBytes = PART_BYTES
  for (let inVain = 0; archive?.state !== 'ready'; ) {
    signal.throwIfAborted()
    try {
      archive = archive ? await next(archive.received) : await road.begin({ digest, size }, signal)
      if (archive.received > furthest) inVain = 0
      furthest = Math.max(furthest, archive.received)
    } catch (error) {
      if (!mayGoOn(error) || inVain >= MOST_IN_VAIN) throw error
      onStep({ phase: 'waiting', bytes: Math.max(0, furthest) })
      await road.pause(backoffMs(inVain++, road.random()), signal)
      archive = undefined // how much has arrived is not known
      partBytes = PART_BYTES
    }
  }
  return archive

  async function next(offset: number): Promise<ImageArchive> {
    const length = Math.min(partBytes, size - offset)
    const part = await source.read(offset, length).catch((cause: unknown) => {
      throw problem('invalid-image', `${name} cannot be read any more: it was changed or removed`, { cause })
    })
    if (part.size < length) throw problem('invalid-image', `${name} became shorter while it was read`)
    onStep({ phase: offset + length < size ? 'sending' : 'checking', bytes: offset })
    const sentAt = road.now()
    const arrived = await road.append({ digest, offset }, part, signal)
    if (road.now() - sentAt < SOON_MS) partBytes = Math.min(2 * partBytes, MOST_PART_BYTES)
    return arrived
  }
}

/** No answer came, or one that says to try again; or somebody else, who sends the same archive, was faster. */
function mayGoOn(error: unknown): boolean {
  if (error instanceof ProblemError) return error.code === 'wrong-offset' || error.kind.retryable
  return error instanceof Unreachable || (error instanceof DOMException && error.name === 'TimeoutError')
}
