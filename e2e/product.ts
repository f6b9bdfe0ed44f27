import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createApiToken, createClient, type Input, redeemSignInLink } from '@agentopia/api'

/** The built control plane as a process of its own, on free ports and with a data directory of its own. */
export interface Product {
  /** Origin of page, API and MCP endpoint. */
  readonly url: string
  readonly dataDir: string
  /** One-time; of the last start. */
  readonly signInLink: string
  /** Secret of an API token with the role admin. */
  readonly token: string
  /** Speaks with {@link Product.token}. */
  readonly client: Client
  /** Of the control plane's process. */
  readonly pid: number
  /** Everything that was printed so far, by every start. */
  output(): string
  /** SIGKILL: as a power cut ends it. Returns when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM, as Ctrl-C does. @returns The exit code. */
  stop(): Promise<number>
  /** Starts it again on the same data directory and ports; returns when it serves. */
  start(): Promise<void>
  /** Stops it, takes its containers away and removes the data directory. */
  [Symbol.asyncDispose](): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('../dist/control-plane.mjs', import.meta.url))
const START_MS = 60_000
const STOP_MS = 30_000
const GREETING = /Agentopia Toolboxes {2}(\S+)[\s\S]*Sign in once with {4}(\S+)/

/**
 * Starts the product; returns when it serves.
 * @param env Added to the environment of the control plane.
 * @param program Another build than that of `dist/`.
 */
export async function startProduct(
  env: Readonly<Record<string, string>> = {},
  program: string = PROGRAM,
): Promise<Product> {
  const dataDir = env['DATA_DIR'] ?? mkdtempSync(join(tmpdir(), 'agentopia-e2e-'))
  const settings = {
    DATA_DIR: dataDir,
    PORT: String(await freePort()),
    LOCAL_DTMA_PORT: String(await freePort()),
    ...env,
  }
  let printed = ''
  let control = await launch()
  const token = await tokenOf(control.url, control.signInLink, { name: 'end to end', role: 'admin' })

  async function launch() {
    const child = run([], settings, program)
    let mine = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        mine += chunk
        printed += chunk
      })
    const greeting = await waitFor(`the control plane did not start within ${START_MS / 1_000} s`, START_MS, () => {
      if (child.exitCode !== null) throw new Error(`the control plane ended with code ${child.exitCode}:\n${mine}`)
      return GREETING.exec(mine) ?? undefined
    }).catch((error: unknown) => {
      child.kill('SIGKILL')
      throw error
    })
    return { child, url: greeting[1] as string, signInLink: greeting[2] as string }
  }

  return {
    dataDir,
    token,
    client: createClient({ baseUrl: control.url, token }),
    get url() {
      return control.url
    },
    get signInLink() {
      return control.signInLink
    },
    get pid() {
      return control.child.pid as number
    },
    output: () => printed,
    async kill() {
      await end(control.child, 'SIGKILL')
    },
    stop: () => end(control.child, 'SIGTERM'),
    async start() {
      control = await launch()
    },
    async [Symbol.asyncDispose]() {
      await end(control.child, 'SIGTERM')
      await ended(run(['stop'], settings, program))
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

const run = (args: readonly string[], env: Readonly<Record<string, string>>, program = PROGRAM): ChildProcess =>
  spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** Runs the control plane to its end. @returns What it printed, and how it ended. */
export async function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = run(args, env)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  return { code: await ended(child), stdout, stderr }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal)
  return ended(child)
}

/** Waits for the end, but not for ever. @returns The exit code, −1 after a signal. */
async function ended(child: ChildProcess): Promise<number> {
  const hurry = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  clearTimeout(hurry)
  return child.exitCode ?? -1
}

/** Signs in by the link as a browser does. @returns Headers of what that browser sends from then on. */
export async function sessionBy(url: string, signInLink: string): Promise<Readonly<Record<string, string>>> {
  const headers = { origin: url }
  const token = signInLink.slice(signInLink.indexOf('#') + 1)
  const session = await createClient({ baseUrl: url }).open(redeemSignInLink, { body: { token } }, { headers })
  const cookie = session.headers.getSetCookie().map((line) => line.split(';', 1)[0])
  return { ...headers, cookie: cookie.join('; ') }
}

/** Signs in by the link, and makes an API token. */
export async function tokenOf(
  url: string,
  signInLink: string,
  body: Input<typeof createApiToken>['body'],
): Promise<string> {
  const headers = await sessionBy(url, signInLink)
  return (await createClient({ baseUrl: url }).call(createApiToken, { body }, { headers })).secret
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

const POLL_MS = 250

/** Asks until there is an answer. @throws {Error} With `what` when none comes in time, or what `ask` throws. */
export async function waitFor<T>(
  what: string,
  withinMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; ) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(what)
}
