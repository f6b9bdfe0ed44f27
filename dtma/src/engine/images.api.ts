import type { Readable } from 'node:stream'
import * as z from 'zod/mini'
import { ImageDetails, ImageSummary } from './docker.types.ts'
import { absentIfNotFound, DEADLINE, type EngineCalls } from './engine.calls.ts'
import { pathOf } from './engine.http.ts'

/** A pull or a build that says nothing for so long has failed, in milliseconds. */
const PULL_IDLE_MS = 60_000
const BUILD_IDLE_MS = 300_000

export function imagesApi({ ask, tell, progress }: EngineCalls) {
  return {
    /** @param reference Id, tag or digest. `undefined`: it is not here. */
    inspectImage(reference: string, signal: AbortSignal) {
      const path = pathOf`/images/${reference}/json`
      return absentIfNotFound(
        ask(ImageDetails, { what: 'inspect the image', method: 'GET', path, deadlineMs: DEADLINE.read }, signal),
      )
    },

    /** Every image with a name that carries this label. @param label `key` or `key=value`. */
    listImages(label: string, signal: AbortSignal) {
      const query = { filters: JSON.stringify({ label: [label], dangling: ['false'] }) }
      const call = { what: 'list images', method: 'GET', path: '/images/json', query } as const
      return ask(z.array(ImageSummary), { ...call, deadlineMs: DEADLINE.read }, signal)
    },

    /** Failures come as lines with `error`, too. @param reference With digest. */
    pullImage(reference: string, signal: AbortSignal) {
      const query = { fromImage: reference }
      const call = { what: 'pull the image', method: 'POST', path: '/images/create', query } as const
      return progress({ ...call, deadlineMs: DEADLINE.change }, PULL_IDLE_MS, signal)
    },

    /** Failures come as lines with `error`, too. @param tar Build context with a `Dockerfile`. */
    buildImage(tag: string, tar: Readable, labels: Readonly<Record<string, string>>, signal: AbortSignal) {
      const query = { t: tag, version: '1', rm: true, forcerm: true, labels: JSON.stringify(labels) }
      const call = { what: 'build the image', method: 'POST', path: '/build', query, body: tar } as const
      return progress({ ...call, deadlineMs: DEADLINE.build }, BUILD_IDLE_MS, signal)
    },

    /** Takes in what `docker save` wrote, compressed or not. Failures come as lines with `error`, too. */
    loadImage(tar: Readable, signal: AbortSignal) {
      const call = { what: 'load the image', method: 'POST', path: '/images/load', query: { quiet: true } } as const
      return progress({ ...call, body: tar, deadlineMs: DEADLINE.build }, BUILD_IDLE_MS, signal)
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
  }
}
