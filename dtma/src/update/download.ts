import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { UpdateReason } from '../contract/release.ts'
import { connectPinned, type Pins } from '../uplink/pinned-tls.ts'

/** Why an update did not come to a try, in the words of its state. */
export class UpdateFailure extends Error {
  override readonly name = 'UpdateFailure'
  readonly reason: UpdateReason

  constructor(reason: UpdateReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

export interface Download {
  readonly url: string
  /** Absent: the authorities are trusted. */
  readonly pins?: Pins | undefined
  /** What must come, to the byte. */
  readonly size: number
  readonly sha256: string
  readonly file: string
  readonly onProgress: (percent: number) => void
}

/** Silence after which a download counts as broken. */
const IDLE_MS = 30_000

/**
 * Fetches a file of known length and digest. Not a byte more than the length is written, whatever is sent.
 * @throws {UpdateFailure} `tampered` when all came and is not what it should be; `download_failed` when it may be tried again.
 */
export async function download(
  { url, pins, size, sha256, file, onProgress }: Download,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256')
  let received = 0
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      received += chunk.length
      if (received > size)
        return done(new UpdateFailure('tampered', `More came than the ${size} bytes that are signed`))
      hash.update(chunk)
      onProgress(Math.floor((received / size) * 100))
      done(null, chunk)
    },
  })
  try {
    const response = await ask(url, pins, signal)
    response.socket.setTimeout(IDLE_MS, () => response.destroy(new Error(`nothing came for ${IDLE_MS / 1_000} s`)))
    await pipeline(response, measure, createWriteStream(file, { mode: 0o600, flush: true }), { signal })
  } catch (error) {
    if (signal.aborted || error instanceof UpdateFailure) throw error
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
      throw new UpdateFailure('disk_full', 'The disk is full: the image of the release does not fit', { cause: error })
    const why = error instanceof Error ? error.message : String(error)
    throw new UpdateFailure('download_failed', `The release could not be fetched: ${why}`, { cause: error })
  }
  if (received < size) throw new UpdateFailure('download_failed', `Only ${received} of ${size} bytes came`)
  if (hash.digest('hex') !== sha256) throw new UpdateFailure('tampered', 'What came is not what is signed')
}

async function ask(url: string, pins: Pins | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  const socket = pins && (await connectPinned(new URL(url), pins, signal))
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest
    const outgoing = send(url, { agent: false, signal, ...(socket ? { createConnection: () => socket } : {}) })
    outgoing.setTimeout(IDLE_MS, () => outgoing.destroy(new Error(`no answer within ${IDLE_MS / 1_000} s`)))
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      if (response.statusCode === 200) return resolve(response)
      response.resume()
      outgoing.destroy()
      reject(new Error(`the control plane answered HTTP ${response.statusCode}`))
    })
    outgoing.end()
  })
}
