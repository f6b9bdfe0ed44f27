import { request } from 'node:http'
import * as z from 'zod'
import { ProviderError } from '../provider.ts'

/** What we read of a container. Unknown fields are dropped. */
export const ContainerDetails = z.object({
  Id: z.string(),
  Name: z.string(),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullable() }),
  State: z.object({
    /** created, running, paused, restarting, removing, exited or dead. */
    Status: z.string(),
    ExitCode: z.int(),
    OOMKilled: z.boolean().default(false),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
})
export type ContainerDetails = z.infer<typeof ContainerDetails>

const ImageDetails = z.object({
  Id: z.string(),
  Config: z
    .object({ Labels: z.record(z.string(), z.string()).nullish() })
    .transform(({ Labels }) => ({ Labels: Labels ?? {} })),
})
type ImageDetails = z.infer<typeof ImageDetails>

const ContainerSummary = z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullable() })
export type ContainerSummary = z.infer<typeof ContainerSummary>

/** What there is beside containers. */
type PartKind = 'networks' | 'volumes' | 'images'

const PARTS = {
  networks: z.array(z.object({ Id: z.string() })).transform((all) => all.map(({ Id }) => Id)),
  volumes: z
    .object({ Volumes: z.array(z.object({ Name: z.string() })).nullable() })
    .transform(({ Volumes }) => (Volumes ?? []).map(({ Name }) => Name)),
  images: z.array(z.object({ Id: z.string() })).transform((all) => all.map(({ Id }) => Id)),
} as const satisfies Record<PartKind, z.ZodType<string[]>>

/** The few calls of Docker's Engine API that making this machine a toolbox needs. Every one has a deadline. @throws {ProviderError} */
export interface Docker {
  /** @returns the id of a local image, or `undefined` when there is none of that name. */
  imageId(name: string, signal: AbortSignal): Promise<string | undefined>
  /** Labels of a local image; `undefined` when there is none of that name. */
  imageLabels(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>
  inspect(name: string, signal: AbortSignal): Promise<ContainerDetails | undefined>
  /** Ids and labels of all containers, running or not, that carry the label `name=value`, or `name` with any value. */
  list(label: string, signal: AbortSignal): Promise<ContainerSummary[]>
  /** Names, or ids of what has no name, of everything of a kind that carries the label. */
  listParts(kind: PartKind, label: string, signal: AbortSignal): Promise<string[]>
  /** Succeeds when it is gone already, and when somebody else's container uses it. */
  removePart(kind: PartKind, name: string, signal: AbortSignal): Promise<void>
  create(name: string, body: object, signal: AbortSignal): Promise<void>
  /** Succeeds when it runs already. */
  start(name: string, signal: AbortSignal): Promise<void>
  /** SIGTERM, SIGKILL after `graceSeconds`. Succeeds when it is stopped or gone already. */
  stop(name: string, graceSeconds: number, signal: AbortSignal): Promise<void>
  /** Removes it, running or not, with its anonymous volumes. Succeeds when it is gone already. */
  remove(name: string, signal: AbortSignal): Promise<void>
}

const DEADLINE_MS = 10_000
const LARGEST_ANSWER = 8 * 1_048_576

/** @param deadlineMs For each call, beyond the time that it asks of Docker. */
export function createDocker(socketPath: string, deadlineMs = DEADLINE_MS): Docker {
  const container = (name: string) => `/containers/${encodeURIComponent(name)}`

  async function call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    expected: readonly number[],
    signal: AbortSignal,
    { body, extraMs = 0 }: { body?: object; extraMs?: number } = {},
  ): Promise<{ status: number; json: <T>(schema: z.ZodType<T>) => T }> {
    const deadline = AbortSignal.timeout(deadlineMs + extraMs)
    const { status, text } = await send({ socketPath, method, path }, body, AbortSignal.any([signal, deadline])).catch(
      (error: unknown) => {
        if (signal.aborted) throw signal.reason
        if (deadline.aborted)
          throw new ProviderError(`Docker accepts requests, but did not answer within ${deadlineMs + extraMs} ms`)
        throw unavailable(error, socketPath)
      },
    )
    if (!expected.includes(status)) throw new ProviderError(`Docker refused: ${messageOf(text)} (HTTP ${status})`)
    return { status, json: (schema) => parsed(text, schema) }
  }

  async function image(name: string, signal: AbortSignal): Promise<ImageDetails | undefined> {
    const path = `/images/${name.split('/').map(encodeURIComponent).join('/')}/json`
    const { status, json } = await call('GET', path, [200, 404], signal)
    return status === 404 ? undefined : json(ImageDetails)
  }

  return {
    imageId: async (name, signal) => (await image(name, signal))?.Id,
    imageLabels: async (name, signal) => (await image(name, signal))?.Config.Labels,
    async inspect(name, signal) {
      const { status, json } = await call('GET', `${container(name)}/json`, [200, 404], signal)
      return status === 404 ? undefined : json(ContainerDetails)
    },
    async list(label, signal) {
      const filters = encodeURIComponent(JSON.stringify({ label: [label] }))
      const { json } = await call('GET', `/containers/json?all=true&filters=${filters}`, [200], signal)
      return json(z.array(ContainerSummary))
    },
    async listParts(kind, label, signal) {
      const filters = encodeURIComponent(JSON.stringify({ label: [label] }))
      const path = kind === 'images' ? '/images/json' : `/${kind}`
      return (await call('GET', `${path}?filters=${filters}`, [200], signal)).json(PARTS[kind])
    },
    async removePart(kind, name, signal) {
      await call('DELETE', `/${kind}/${encodeURIComponent(name)}?force=true`, [200, 204, 404, 409], signal)
    },
    async create(name, body, signal) {
      await call('POST', `/containers/create?name=${encodeURIComponent(name)}`, [201], signal, { body })
    },
    async start(name, signal) {
      await call('POST', `${container(name)}/start`, [204, 304], signal)
    },
    async stop(name, graceSeconds, signal) {
      await call('POST', `${container(name)}/stop?t=${graceSeconds}`, [204, 304, 404], signal, {
        extraMs: graceSeconds * 1_000,
      })
    },
    async remove(name, signal) {
      // 409: a removal is in progress already.
      await call('DELETE', `${container(name)}?force=true&v=true`, [204, 404, 409], signal)
    },
  }
}

interface Target {
  readonly socketPath: string
  readonly method: string
  readonly path: string
}

function send(
  target: Target,
  body: object | undefined,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? '' : JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
    const outgoing = request({ ...target, headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > LARGEST_ANSWER) outgoing.destroy(new Error('the answer is larger than 8 MiB'))
        else chunks.push(chunk)
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(payload)
  })
}

function unavailable(error: unknown, socketPath: string): ProviderError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return new ProviderError(
      `Docker does not run on this machine (nothing answers at ${socketPath}): install or start it`,
      { cause: error },
    )
  if (code === 'EACCES' || code === 'EPERM')
    return new ProviderError(`No right to use Docker at ${socketPath}: add this user to the group docker`, {
      cause: error,
    })
  return new ProviderError(`The connection to Docker broke: ${error instanceof Error ? error.message : error}`, {
    cause: error,
  })
}

function parsed<T>(text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw new ProviderError('What answers on the socket of Docker does not speak its API', { cause })
  }
}

function messageOf(text: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(text)).message
  } catch {
    return text.trim().slice(0, 300) // a proxy in between answers in plain text
  }
}
