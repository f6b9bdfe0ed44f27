import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'

export const SOCKET = '/var/run/docker.sock'

/** One call of Docker's Engine API, without a library. @throws {Error} When it refuses. */
export function engine(method: string, path: string, body?: unknown): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const headers = { host: 'docker', 'content-type': 'application/json' }
  const outgoing = request({ socketPath: SOCKET, method, path: `/v1.41${path}`, headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    response.on('end', () => {
      if (response.statusCode! >= 400) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
      else resolve(text === '' ? undefined : JSON.parse(text))
    })
  })
  outgoing.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}

export interface Inspected {
  readonly Id: string
  /** Id of its image. */
  readonly Image: string
  readonly State: { readonly Pid: number; readonly Status: string }
  readonly Config: object
  readonly HostConfig: object
  readonly NetworkSettings: { readonly IPAddress: string }
}

export const inspect = (id: string): Promise<Inspected> => engine('GET', `/containers/${id}/json`) as Promise<Inspected>

export const create = async (body: object): Promise<string> =>
  ((await engine('POST', '/containers/create', body)) as { Id: string }).Id

export const start = (id: string): Promise<unknown> => engine('POST', `/containers/${id}/start`)
/** Succeeds when it is gone already. */
export const remove = (id: string): Promise<unknown> =>
  engine('DELETE', `/containers/${id}?force=true&v=true`).catch((error: Error) => {
    if (!error.message.includes(': 404 ')) throw error
  })

export const imageBytes = async (image: string): Promise<number> =>
  ((await engine('GET', `/images/${encodeURIComponent(image)}/json`)) as { Size: number }).Size

/** Lines to and from the standard streams of a container. */
export interface Lines {
  send(line: string): void
  /** The first line from now on that holds `part`. @throws {Error} When the stream ends before. */
  heard(part: string): Promise<string>
  close(): void
}

/** Attaches to a container that has no terminal, running or not. */
export async function attach(id: string): Promise<Lines> {
  const outgoing = request({
    socketPath: SOCKET,
    method: 'POST',
    path: `/v1.41/containers/${id}/attach?stream=1&stdin=1&stdout=1`,
    headers: { host: 'docker', connection: 'Upgrade', upgrade: 'tcp' },
  }).end()
  const [, socket, head] = (await once(outgoing, 'upgrade')) as [unknown, Socket, Buffer]
  let unread: Buffer = head
  let text = ''
  let waiting: { part: string; resolve: (line: string) => void; reject: (error: Error) => void } | undefined
  /** Each frame: a head of eight bytes, of which the last four are its length, and so many bytes of output. */
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk])
    while (unread.length >= 8 && unread.length >= 8 + unread.readUInt32BE(4)) {
      const end = 8 + unread.readUInt32BE(4)
      text += unread.toString('utf8', 8, end)
      unread = unread.subarray(end)
    }
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      if (waiting && line.includes(waiting.part)) waiting.resolve(line)
    }
  })
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error(`the output of ${id} ended`)))
  return {
    send: (line) => void socket.write(`${line}\n`),
    heard: (part) =>
      new Promise((resolve, reject) => {
        waiting = { part, resolve, reject }
      }),
    close: () => void socket.destroy(),
  }
}
