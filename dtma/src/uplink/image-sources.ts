import type { IncomingMessage } from 'node:http'
import {
  type Answer,
  ARCHIVE_PATH,
  createClient,
  type Fetch,
  ProblemError,
  readRegistryCredential,
} from '../contract/index.ts'
import { type ImageSources, NO_IMAGE_SOURCES } from '../tools/image-sources.ts'
import { ToolFailure } from '../tools/tool-failure.ts'
import { httpFetch, openDownload } from './http-fetch.ts'
import { pinnedFetch } from './pinned-fetch.ts'
import { connectPinned, type Pins } from './pinned-tls.ts'

export interface ControlPlaneSourcesDeps {
  /** Origin of the control plane; absent: there is none. */
  readonly baseUrl: string | undefined
  /** Of its TLS key; absent: the authorities are trusted. */
  readonly pins: () => Pins | undefined
  /** DTMA_BEARER_TOKEN; `undefined` before the enrolment. */
  readonly token: () => string | undefined
  /** Told of every value that must not appear in a log. */
  readonly redact: (secret: string) => void
}

const ASK_MS = 15_000
/** An archive that brings nothing for so long has broken off. */
const IDLE_MS = 60_000

/** Asks the control plane, as the toolbox that we are. */
export function controlPlaneSources({ baseUrl, pins, token, redact }: ControlPlaneSourcesDeps): ImageSources {
  if (baseUrl === undefined) return NO_IMAGE_SOURCES
  const fetch: Fetch<Answer> = (url, init) => {
    const known = pins()
    return (known ? pinnedFetch(known) : httpFetch)(url, init)
  }

  function bearer(): string {
    const held = token()
    if (held === undefined) throw new ToolFailure('registry_unreachable', 'This DTMA has not enrolled yet')
    return held
  }

  return {
    async credential(registry, signal) {
      const client = createClient({ baseUrl, token: bearer(), fetch })
      try {
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])
        const { credential } = await client.call(readRegistryCredential, { body: { registry } }, { signal: deadline })
        if (credential) redact(credential.password)
        return credential
      } catch (error) {
        if (signal.aborted) throw error
        if (error instanceof ProblemError && error.code === 'not-found') return undefined // an older control plane
        throw unanswered(`whether there are credentials for ${registry}`, error)
      }
    },

    async archive(digest, signal) {
      const url = `${baseUrl}${ARCHIVE_PATH}/${encodeURIComponent(digest)}`
      const headers = { authorization: `Bearer ${bearer()}` }
      try {
        const dialled = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])
        const known = pins()
        const socket = known ? await connectPinned(new URL(baseUrl), known, dialled) : undefined
        const body = await openDownload(url, headers, signal, socket)
        body.socket.setTimeout(IDLE_MS, () => body.destroy(new Error(`nothing came for ${IDLE_MS / 1_000} s`)))
        if (body.statusCode === 200) return { body, bytes: bytesOf(body) }
        body.destroy()
        if (body.statusCode === 404)
          throw new ToolFailure('image_not_found', 'The control plane does not hold this archive for this toolbox', {
            lasting: true,
          })
        throw new Error(`HTTP ${body.statusCode}`)
      } catch (error) {
        if (signal.aborted || error instanceof ToolFailure) throw error
        throw unanswered('for an archive', error)
      }
    },
  }
}

function bytesOf({ headers }: IncomingMessage): number | undefined {
  const bytes = Number(headers['content-length'])
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

const unanswered = (what: string, cause: unknown): ToolFailure =>
  new ToolFailure('registry_unreachable', `The control plane was asked ${what}, and does not answer`, { cause })
