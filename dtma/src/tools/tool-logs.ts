import type { LogLine } from '../contract/tool.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import { EngineError } from '../engine/engine-error.ts'
import type { AcceptedTool } from './spec-file.ts'

export interface LogWish {
  readonly follow: boolean
  /** How many of the last lines to begin with; says nothing when `since` is given. */
  readonly tail: number
  /** Only lines after this `at`. */
  readonly since: string | undefined
}

export interface ToolLogsDeps {
  readonly docker: Pick<DockerApi, 'containerLogs'>
  /** `undefined`: the tool was deleted. */
  readonly find: (name: string) => AcceptedTool | undefined
  /** Takes out of a line what must not be shown. */
  readonly clean?: (line: string) => string
}

const LOOK_AGAIN_MS = 500

/**
 * A position in a log as Docker writes it, so that positions compare as text.
 * @returns `undefined` when the text is no RFC 3339 time in UTC.
 */
export function positionOf(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text)
  if (!match || Number.isNaN(Date.parse(text))) return undefined
  return `${match[1]}.${(match[2] ?? '').padEnd(9, '0')}Z`
}

/**
 * The log of a tool, across restarts and replacements of its container. Of a stdio server only stderr is a log: its stdout
 * is the protocol, with whatever agents say in it. Ends when the tool is deleted.
 */
export async function* toolLogs(
  { docker, find, clean = (line) => line }: ToolLogsDeps,
  name: string,
  { follow, tail, since }: LogWish,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let last = since
  for (let tool = find(name); tool && !signal.aborted; tool = find(name)) {
    const resume = last
    const stdout = tool.spec.transport.type === 'http'
    const wanted = { follow, stdout, stderr: true, ...(resume === undefined ? { tail } : { since: resume }) }
    try {
      if (tool.containerId !== undefined)
        for await (const line of docker.containerLogs(tool.containerId, wanted, signal)) {
          // Docker begins with the line that we have.
          if (resume !== undefined && line.at <= resume) continue
          last = line.at
          yield { ...line, line: clean(line.line) }
        }
    } catch (error) {
      if (signal.aborted) return
      // The container was replaced, or Docker restarts: what follows is in the next one.
      if (!follow || !(error instanceof EngineError)) throw error
    }
    if (!follow) return
    // Whoever asked for the last lines has had them.
    last ??= new Date(0).toISOString()
    await pause(LOOK_AGAIN_MS, signal)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = () => resolve()
  const timeout = setTimeout(done, ms)
  signal.addEventListener('abort', done, { once: true })
  await promise
  clearTimeout(timeout)
  signal.removeEventListener('abort', done)
}
