import { problem } from '@agentopia/api'
import type { DigestNews } from './archive-digest.ts'
import type { ArchiveSource } from './archive-push.ts'

/** A file that somebody chose. Its digest is worked out once: whoever tries again does not wait for it again. */
export function archiveFileOf(file: File): ArchiveSource {
  let known: string | undefined
  return {
    name: file.name,
    size: file.size,
    digest: async (onRead, signal) => {
      known ??= await digestInWorker(file, onRead, signal)
      return known
    },
    read: async (offset, length) => {
      const part = file.slice(offset, offset + length)
      await part.slice(0, 1).arrayBuffer() // a file that was changed or removed is told apart from a line that broke
      return part
    },
  }
}

/** Beside the page, which stays usable. @throws {ProblemError} `invalid-image` when the file cannot be read. */
async function digestInWorker(file: File, onRead: (bytes: number) => void, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const worker = new Worker(new URL('./archive-digest.worker.ts', import.meta.url), { type: 'module' })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  worker.onerror = () => reject(new Error('The part of the page that reads files could not be loaded'))
  worker.onmessage = ({ data }: MessageEvent<DigestNews>) => {
    if ('read' in data) onRead(data.read)
    else if ('digest' in data) resolve(data.digest)
    else reject(problem('invalid-image', `${file.name} cannot be read: ${data.failed}`))
  }
  worker.postMessage(file)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    worker.terminate()
  }
}
