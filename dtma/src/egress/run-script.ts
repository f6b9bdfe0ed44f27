import type { DockerApi } from '../engine/docker.api.ts'
import type { CreateBody } from '../engine/docker.types.ts'

/**
 * Runs a container to its end, and removes it. A container of this name that was left over is removed first.
 * @returns Its standard output, at most 1 MB.
 */
export async function runToEnd(
  docker: DockerApi,
  name: string,
  body: CreateBody,
  signal: AbortSignal,
): Promise<string> {
  const left = await docker.inspectContainer(name, signal)
  if (left) await docker.removeContainer(left.Id, signal)
  const id = await docker.createContainer(name, body, signal)
  try {
    const attached = await docker.attachContainer(id, { stderr: false }, signal)
    attached.stderr.resume()
    const stop = () => attached.close()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await docker.startContainer(id, signal)
      let text = ''
      for await (const chunk of attached.stdout.setEncoding('utf8')) text = (text + chunk).slice(0, 1 << 20)
      signal.throwIfAborted()
      return text
    } finally {
      signal.removeEventListener('abort', stop)
      attached.close()
    }
  } finally {
    await docker.removeContainer(id, AbortSignal.timeout(10_000))
  }
}
