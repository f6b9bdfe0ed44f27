import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Client, createApiToken, createClient, redeemSignInLink } from '@agentopia/api'

export interface ProductOptions {
  readonly port: number
  readonly dataDir: string
  /** Origin under which machines reach it. */
  readonly publicUrl: string
  readonly env?: Readonly<Record<string, string>>
}

/** The control plane as a process of its own, started as people start it, and a client of it. */
export interface Product {
  readonly client: Client
  /** A token of the owner. */
  readonly token: string
  readonly url: string
  /** `kill -9`, as a power cut would. */
  kill(): Promise<void>
  /** Starts it again after a kill. */
  start(): Promise<void>
  /** Lines that it logged. */
  readonly log: readonly string[]
  stop(): Promise<void>
}

const MAIN = fileURLToPath(new URL('../backend/src/main.ts', import.meta.url))
const START_MS = 60_000
const STOP_MS = 15_000

export async function startProduct({ port, dataDir, publicUrl, env = {} }: ProductOptions): Promise<Product> {
  const log: string[] = []
  let child: ChildProcess | undefined

  /** @returns the one-time link that it printed. */
  async function start(): Promise<string> {
    const settings = {
      PORT: String(port),
      HOST: '0.0.0.0',
      PUBLIC_URL: publicUrl,
      DATA_DIR: dataDir,
      LOCAL_TOOLBOX: 'off',
    }
    const started = spawn(process.execPath, [MAIN], {
      env: { ...process.env, ...settings, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = started
    const link = new Promise<string>((resolve, reject) => {
      for (const stream of [started.stdout, started.stderr])
        createInterface(stream).on('line', (line) => {
          log.push(line)
          const found = /(https?:\/\/\S+link_\S+)/.exec(line)?.[1]
          if (found) resolve(found)
        })
      started.once('exit', (code) =>
        reject(new Error(`the control plane ended with ${code}:\n${log.slice(-20).join('\n')}`)),
      )
      AbortSignal.timeout(START_MS).addEventListener('abort', () =>
        reject(new Error('the control plane did not start')),
      )
    })
    link.catch(() => {}) // it may end later, when nobody waits for the link any more
    return link
  }

  const link = await start()
  const baseUrl = `http://127.0.0.1:${port}`
  const token = await tokenFrom(baseUrl, publicUrl, /link_[\w-]+/.exec(link)![0])

  return {
    token,
    url: baseUrl,
    log,
    client: createClient({ baseUrl, token }),
    async kill() {
      const ended = once(child!, 'exit')
      child!.kill('SIGKILL')
      await ended
    },
    async start() {
      await start()
    },
    async stop() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const late = new AbortController()
      await Promise.race([
        ended,
        sleep(STOP_MS, undefined, { signal: late.signal }).then(
          () => child?.kill('SIGKILL'),
          () => {},
        ),
      ])
      late.abort()
      await ended
    },
  }
}

/** Signs in as a browser would, and leaves with a token for programs. */
async function tokenFrom(baseUrl: string, origin: string, link: string): Promise<string> {
  const headers = { origin, 'content-type': 'application/json' }
  const signedIn = await fetch(baseUrl + redeemSignInLink.path, {
    method: 'POST',
    headers,
    body: JSON.stringify({ token: link }),
  })
  if (signedIn.status !== 200) throw new Error(`the sign-in answered ${signedIn.status}: ${await signedIn.text()}`)
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ')
  const body = JSON.stringify({ name: 'testbed', role: 'admin' })
  const made = await fetch(baseUrl + createApiToken.path, { method: 'POST', headers: { ...headers, cookie }, body })
  if (made.status !== 201) throw new Error(`the token was refused with ${made.status}: ${await made.text()}`)
  return createApiToken.reply.parse(await made.json()).secret
}
