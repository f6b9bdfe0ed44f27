import type { Readable } from 'node:stream'
import * as z from 'zod/mini'
import type { LogLine } from '../contract/tool.ts'
import { type Attached, splitAttached } from './attach.ts'
import { type ContainerCopy, ContainerDetails, ContainerSummary, type CreateBody, EngineEvent } from './docker.types.ts'
import { absentIfNotFound, DEADLINE, type EngineCalls, understand } from './engine.calls.ts'
import { pathOf } from './engine.http.ts'
import { jsonLines } from './json-lines.ts'
import { logLines } from './log-lines.ts'

export interface LogRequest {
  readonly follow: boolean
  /** Absent: all lines. */
  readonly tail?: number
  /** RFC 3339; Docker includes the line of this very time. */
  readonly since?: string
  readonly stdout: boolean
  readonly stderr: boolean
}

export function containersApi({ ask, tell, open, hijack }: EngineCalls) {
  const change = (what: string, method: 'POST' | 'DELETE' | 'PUT', path: string) =>
    ({ what, method, path, deadlineMs: DEADLINE.change }) as const
  const read = (what: string, path: string) => ({ what, method: 'GET', path, deadlineMs: DEADLINE.read }) as const

  return {
    /** Every container that carries this label, running or not. @param label `key` or `key=value`. */
    listContainers(label: string, signal: AbortSignal) {
      const query = { all: true, filters: JSON.stringify({ label: [label] }) }
      return ask(z.array(ContainerSummary), { ...read('list containers', '/containers/json'), query }, signal)
    },

    /** @param id Or name. `undefined`: there is none. */
    inspectContainer(id: string, signal: AbortSignal) {
      return absentIfNotFound(
        ask(ContainerDetails, read('inspect the container', pathOf`/containers/${id}/json`), signal),
      )
    },

    /** @returns Its id. @throws {EngineError} `conflict` when the name is in use; `not-found` when the image is not here. */
    async createContainer(name: string, body: CreateBody, signal: AbortSignal): Promise<string> {
      const call = { ...change('create the container', 'POST', '/containers/create'), query: { name }, body }
      return (await ask(z.object({ Id: z.string() }), call, signal)).Id
    },

    /** As {@link createContainer}, for DTMA's own. */
    async copyContainer(name: string, body: ContainerCopy, signal: AbortSignal): Promise<string> {
      const call = { ...change('create the container', 'POST', '/containers/create'), query: { name }, body }
      return (await ask(z.object({ Id: z.string() }), call, signal)).Id
    },

    /** @throws {EngineError} `conflict` when the name is in use. */
    renameContainer(id: string, name: string, signal: AbortSignal): Promise<void> {
      const call = change('rename the container', 'POST', pathOf`/containers/${id}/rename`)
      return tell({ ...call, query: { name } }, signal)
    },

    startContainer(id: string, signal: AbortSignal): Promise<void> {
      return tell(change('start the container', 'POST', pathOf`/containers/${id}/start`), signal)
    },

    /** @throws {EngineError} When it is not paused. */
    unpauseContainer(id: string, signal: AbortSignal): Promise<void> {
      return tell(change('let the container go on', 'POST', pathOf`/containers/${id}/unpause`), signal)
    },

    /** SIGTERM, then SIGKILL after `graceSeconds`. A paused one is let go on for it. */
    async stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
      const call = change('stop the container', 'POST', pathOf`/containers/${id}/stop`)
      const deadlineMs = graceSeconds * 1_000 + 10_000
      await absentIfNotFound(tell({ ...call, query: { t: graceSeconds }, deadlineMs }, signal))
    },

    /** SIGKILL. @throws {EngineError} `conflict` when it does not run. */
    killContainer(id: string, signal: AbortSignal): Promise<void> {
      return tell(change('kill the container', 'POST', pathOf`/containers/${id}/kill`), signal)
    },

    /** Kills it when it runs; its anonymous volumes go with it. */
    async removeContainer(id: string, signal: AbortSignal): Promise<void> {
      const call = change('remove the container', 'DELETE', pathOf`/containers/${id}`)
      await absentIfNotFound(tell({ ...call, query: { force: true, v: true } }, signal))
    },

    /** Unpacks a tar archive into a container, which need not run. @param path Directory inside it. */
    putArchive(id: string, path: string, tar: Readable, signal: AbortSignal): Promise<void> {
      const call = change('copy into the container', 'PUT', pathOf`/containers/${id}/archive`)
      return tell({ ...call, query: { path }, body: tar }, signal)
    },

    /** Its standard streams, from now on; before the start nothing is lost. `signal` covers the attaching, not the use. */
    async attachContainer(id: string, streams: { readonly stderr: boolean }, signal: AbortSignal): Promise<Attached> {
      const query = { stream: true, stdin: true, stdout: true, stderr: streams.stderr }
      const call = { ...change('attach to the container', 'POST', pathOf`/containers/${id}/attach`), query }
      return splitAttached(await hijack({ ...call, deadlineMs: DEADLINE.read }, signal))
    },

    async *containerLogs(id: string, wanted: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine> {
      const { follow, stdout, stderr, tail, since } = wanted
      const from = since === undefined ? {} : { since: unixTimeOf(since) }
      const query = { follow, stdout, stderr, timestamps: true, tail: tail ?? 'all', ...from }
      yield* logLines(await open({ ...read('read the log', pathOf`/containers/${id}/logs`), query }, signal))
    },

    /** One sample of the container's use of CPU, memory and network, as the engine gives it. */
    containerStats(id: string, signal: AbortSignal) {
      const query = { stream: false, 'one-shot': true }
      const call = { ...read('measure the container', pathOf`/containers/${id}/stats`), query }
      return ask(z.record(z.string(), z.unknown()), call, signal)
    },

    /**
     * What happens to containers that carry this label. Ends when the engine does. Events are hints: whoever acts on them
     * must look for itself now and then.
     */
    async *events(label: string, signal: AbortSignal): AsyncGenerator<EngineEvent> {
      const query = { filters: JSON.stringify({ type: ['container'], label: [label] }) }
      const call = { ...read('follow events', '/events'), query }
      for await (const event of jsonLines(await open(call, signal))) yield understand(EngineEvent, event, call.what)
    },
  }
}

/** Docker takes seconds with a fraction of nine digits. */
function unixTimeOf(rfc3339: string): string {
  const seconds = Math.floor(Date.parse(rfc3339) / 1_000)
  const fraction = /\.(\d{1,9})/.exec(rfc3339)?.[1] ?? '0'
  return `${seconds}.${fraction.padEnd(9, '0')}`
}
