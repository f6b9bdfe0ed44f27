import type { Readable } from 'node:stream'
import * as z from 'zod/mini'
import { ImageDetails, ImageSummary, RegistryImage } from './docker.types.ts'
import { absentIfNotFound, DEADLINE, type EngineCalls } from './engine.calls.ts'
import { pathOf } from './engine.http.ts'

/** A pull or a build that says nothing for so long has failed, in milliseconds. */
const PULL_IDLE_MS = 60_000
const BUILD_IDLE_MS = 300_000
const LOAD_IDLE_MS = 300_000
/** Docker asks the registry while we wait. */
const RESOLVE_MS = 60_000

export function imagesApi({ ask, tell, progress }: EngineCalls) {
  function listed(label: string, dangling: 'true' | 'false', signal: AbortSignal) {
    const query = { filters: JSON.stringify({ label: [label], dangling: [dangling] }) }
    const call = { what: 'list images', method: 'GET', path: '/images/json', query } as const
    return ask(z.array(ImageSummary), { ...call, deadlineMs: DEADLINE.read }, signal)
  }

  return {
    /** @param reference Id, tag or digest. `undefined`: it is not here. */
    inspectImage(reference: string, signal: AbortSignal) {
      const path = pathOf`/images/${reference}/json`
      return absentIfNotFound(
        ask(ImageDetails, { what: 'inspect the image', method: 'GET', path, deadlineMs: DEADLINE.read }, signal),
      )
    },

    /** Every image with a name that carries this label. @param label `key` or `key=value`. */
    listImages: (label: string, signal: AbortSignal) => listed(label, 'false', signal),

    /** Every image that carries this label, has no name, and has none built on it. @param label `key` or `key=value`. */
    listUnnamedImages: (label: string, signal: AbortSignal) => listed(label, 'true', signal),

    /** @returns The digest, `sha256:<hex>`, that the registry has under this reference now. @param registryAuth Absent: anonymously. */
    async resolveImage(reference: string, registryAuth: string | undefined, signal: AbortSignal): Promise<string> {
      const path = pathOf`/distribution/${reference}/json`
      const call = { what: 'look up the image', method: 'GET', path, registryAuth, deadlineMs: RESOLVE_MS } as const
      return (await ask(RegistryImage, call, signal)).Descriptor.digest
    },

    /** Failures come as lines with `error`, too. @param reference With digest. @param registryAuth Absent: anonymously. */
    pullImage(reference: string, registryAuth: string | undefined, signal: AbortSignal) {
      const query = { fromImage: reference }
      const call = { what: 'pull the image', method: 'POST', path: '/images/create', query, registryAuth } as const
      return progress({ ...call, deadlineMs: DEADLINE.change }, PULL_IDLE_MS, signal)
    },

    /** Failures come as lines with `error`, too. @param tar What `docker save` writes, compressed or not. */
    loadImage(tar: Readable, signal: AbortSignal) {
      const query = { quiet: true }
      const call = { what: 'load the image', method: 'POST', path: '/images/load', query, body: tar } as const
      return progress({ ...call, deadlineMs: DEADLINE.load }, LOAD_IDLE_MS, signal)
    },

    /** Failures come as lines with `error`, too. @param tar Build context with a `Dockerfile`. */
    buildImage(tag: string, tar: Readable, signal: AbortSignal) {
      const query = { t: tag, version: '1', rm: true, forcerm: true }
      const call = { what: 'build the image', method: 'POST', path: '/build', query, body: tar } as const
      return progress({ ...call, deadlineMs: DEADLINE.build }, BUILD_IDLE_MS, signal)
    },

    tagImage(id: string, repo: string, tag: string, signal: AbortSignal): Promise<void> {
      const call = { what: 'name the image', method: 'POST', path: pathOf`/images/${id}/tag` } as const
      return tell({ ...call, query: { repo, tag }, deadlineMs: DEADLINE.change }, signal)
    },

    /** @throws {EngineError} `conflict` when a container uses it. */
    async removeImage(reference: string, signal: AbortSignal): Promise<void> {
      const call = { what: 'remove the image', method: 'DELETE', path: pathOf`/images/${reference}` } as const
      await absentIfNotFound(tell({ ...call, deadlineMs: DEADLINE.change }, signal))
    },

    /** Not what it was built on, either, though that has no name. @throws {EngineError} `conflict` when something uses it. */
    async removeUnnamedImage(id: string, signal: AbortSignal): Promise<void> {
      const call = { what: 'remove the image', method: 'DELETE', path: pathOf`/images/${id}` } as const
      await absentIfNotFound(tell({ ...call, query: { noprune: true }, deadlineMs: DEADLINE.change }, signal))
    },
  }
}
