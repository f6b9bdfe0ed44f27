import { rmSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createLineReader } from '../mcp/lines.ts'
import { type Answer, CONTROL, type GatewayPolicy, HEAD_BYTES, type Order, SOCKET_NAME } from './gateway.script.ts'

/** The line between us and the gateway: its connections to a socket of ours, in a directory that nobody else can enter. */
export interface GatewayLine {
  /** What the gateway is given: it may enter and dial, and change nothing. */
  readonly directory: string
  /** Resolves when the gateway has come. @throws The signal's reason. */
  ready(signal: AbortSignal): Promise<void>
  /** Replaces what the gateway allows. @throws {Error} It could not, is gone, or the signal's reason. */
  apply(policy: GatewayPolicy, signal: AbortSignal): Promise<void>
  /** A connection to a server in a tool. Rejects as the one of a socket does when there is none. */
  connect(address: string, port: number): Promise<Socket>
  /** Resolves when the line is broken: the gateway has ended, or we have closed it. */
  readonly closed: Promise<void>
  close(): void
}

interface Waiting {
  readonly done: (connection: Socket | undefined) => void
  readonly fail: (error: unknown) => void
}

/** Longer than the gateway itself tries. */
const DIAL_MS = 15_000
const HEAD_MS = 10_000
const MOST_ANSWER_BYTES = 4_096

/** In the state directory. */
const LINES = 'gateway'

/** Listens for the gateway. @throws When the directory cannot be written. */
export async function openGatewayLine(stateDirectory: string): Promise<GatewayLine> {
  const waiting = new Map<number, Waiting>()
  const came = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let control: Socket | undefined
  let last = CONTROL

  function arrive(socket: Socket): void {
    const end = () => void socket.destroy()
    const read = () => {
      const head = socket.read(HEAD_BYTES) as Buffer | null
      if (!head) return
      socket.off('readable', read).setTimeout(0, end)
      take(head.readUInt32BE(), socket)
    }
    socket.on('error', end).on('readable', read).setTimeout(HEAD_MS, end)
  }

  function take(order: number, socket: Socket): void {
    if (order !== CONTROL) {
      const isAwaited = settle(order, ({ done }) => done(socket))
      if (!isAwaited) socket.destroy()
      return
    }
    if (control) return void socket.destroy() // there is one gateway
    control = socket
    socket.on('data', createLineReader(MOST_ANSWER_BYTES, hear, close)).once('close', close)
    came.resolve()
  }

  function hear(line: string): void {
    const { order, failure } = answerIn(line)
    settle(order, ({ done, fail }) => (failure === undefined ? done(undefined) : fail(new Error(failure))))
  }

  /** @returns Whether somebody waited for it. */
  function settle(order: number, how: (waiting: Waiting) => void): boolean {
    const found = waiting.get(order)
    waiting.delete(order)
    if (found) how(found)
    return found !== undefined
  }

  function give(order: Order, signal: AbortSignal): Promise<Socket | undefined> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (!control || control.destroyed) return Promise.reject(new Error('The gateway is gone'))
    const { promise, resolve, reject } = Promise.withResolvers<Socket | undefined>()
    last = (last % 0xffff_ffff) + 1
    const number = last
    const giveUp = () => settle(number, ({ fail }) => fail(signal.reason))
    const ended =
      <Value>(end: (value: Value) => void) =>
      (value: Value) => {
        signal.removeEventListener('abort', giveUp)
        end(value)
      }
    signal.addEventListener('abort', giveUp)
    waiting.set(number, { done: ended(resolve), fail: ended(reject) })
    control.write(`${JSON.stringify({ ...order, order: number })}\n`)
    return promise
  }

  function close(): void {
    server.close()
    rmSync(directory, { recursive: true, force: true })
    control?.destroy()
    for (const order of [...waiting.keys()]) settle(order, ({ fail }) => fail(new Error('The gateway is gone')))
    closed.resolve()
  }

  const directory = await makeDirectory(stateDirectory)
  const server = createServer(arrive)
  await listening(server, join(directory, SOCKET_NAME))

  return {
    directory,
    closed: closed.promise,
    close,
    ready(signal) {
      signal.addEventListener('abort', () => came.reject(signal.reason), { once: true })
      return came.promise
    },
    async apply(policy, signal) {
      await give({ policy }, signal)
    },
    async connect(host, port) {
      const cause = (error: unknown) => Object.assign(new Error('connect ECONNREFUSED', { cause: error }), REFUSED)
      const connection = await give({ host, port }, AbortSignal.timeout(DIAL_MS)).catch((error: unknown) => {
        throw cause(error)
      })
      if (!connection) throw cause('The gateway has answered without a connection')
      return connection
    },
  }
}

const REFUSED = { code: 'ECONNREFUSED' }

/** Another one for each line. The directory around it keeps everybody else of the machine out, whatever the state directory does. */
async function makeDirectory(stateDirectory: string): Promise<string> {
  const lines = join(stateDirectory, LINES)
  await rm(lines, { recursive: true, force: true })
  await mkdir(lines, { mode: 0o700 })
  const directory = await mkdtemp(join(lines, 'line-'))
  await chmod(directory, 0o711)
  return directory
}

function listening(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Later ones, of a connection that cannot be taken, are for whoever waits for it, and its time is limited.
  server.on('error', reject).listen({ path, readableAll: true, writableAll: true }, resolve)
  return promise
}

/** What is no answer names no order. */
function answerIn(line: string): Answer {
  try {
    const { order, failure } = Object(JSON.parse(line)) as { order?: unknown; failure?: unknown }
    return { order: Number(order), ...(failure === undefined ? {} : { failure: String(failure) }) }
  } catch {
    return { order: CONTROL }
  }
}
