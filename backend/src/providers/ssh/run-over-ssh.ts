import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import type { SshEvent } from '@agentopia/api'
import type { Client, ClientChannel } from 'ssh2'
import type { RemoteScript } from './remote-script.ts'

/** The longest line that is passed on, in characters. */
const LINE_LIMIT = 4_000
/** The most lines of one run. */
const MOST_LINES = 20_000

export interface SshRun {
  readonly client: Client
  readonly script: RemoteScript
  /** What is never shown, should a line hold it. */
  readonly secrets: readonly string[]
  /** Ends it there, too. Its reason is told. */
  readonly signal: AbortSignal
}

/** Runs it, and tells what it says line by line; the last event is its end. The connection is closed then. */
export async function* runOverSsh({ client, script, secrets, signal }: SshRun): AsyncGenerator<SshEvent> {
  const events = new PassThrough({ objectMode: true })
  const tell = (event: SshEvent) => void (events.writable && events.write(event))
  let lines = 0
  const follow = (from: 'out' | 'err', stream: NodeJS.ReadableStream) => {
    const reader = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
    reader.on('line', (line) => {
      lines += 1
      if (lines <= MOST_LINES) tell({ type: 'line', from, text: without(secrets, line).slice(0, LINE_LIMIT) })
    })
    return once(reader, 'close')
  }

  let channel: ClientChannel
  try {
    channel = await exec(client, script.command)
  } catch (error) {
    client.end()
    yield { type: 'end', ok: false, summary: `The server runs no command: ${(error as Error).message}` }
    return
  }
  const stop = () => {
    channel.signal('TERM')
    channel.close()
    client.end()
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  let ended: { readonly code: number | null; readonly signal?: string } | undefined
  channel.on('exit', (code: number | null, name?: string) => {
    ended = { code, ...(name ? { signal: name } : {}) }
  })
  channel.on('error', () => undefined) // it closes, and how it ended is told
  const read = Promise.all([follow('out', channel), follow('err', channel.stderr)])
  void Promise.all([once(channel, 'close'), read]).then(() => {
    tell(endOf(ended, signal))
    events.end()
  })
  client.once('close', () => channel.destroy())
  channel.end(script.input)
  try {
    for await (const event of events) yield event as SshEvent
  } finally {
    signal.removeEventListener('abort', stop)
    if (!events.writableFinished) stop()
    client.end()
  }
}

function exec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) =>
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel))),
  )
}

function endOf(ended: { code: number | null; signal?: string } | undefined, signal: AbortSignal): SshEvent {
  const failed = (summary: string, exitCode?: number): SshEvent => ({
    type: 'end',
    ok: false,
    summary,
    ...(exitCode === undefined ? {} : { exitCode }),
  })
  if (signal.aborted) return failed(String((signal.reason as Error | undefined)?.message ?? 'It was ended'))
  if (!ended) return failed('The connection broke; it is safe to run it again')
  if (ended.code === null) return failed(`It was ended by ${ended.signal ?? 'a signal'}`)
  if (ended.code !== 0) return failed(`It ended with code ${ended.code}`, ended.code)
  return { type: 'end', ok: true, exitCode: 0, summary: 'Done' }
}

const without = (secrets: readonly string[], line: string): string =>
  secrets.reduce((text, secret) => (secret === '' ? text : text.replaceAll(secret, '***')), line)
