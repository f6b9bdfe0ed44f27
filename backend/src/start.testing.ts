import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

// The program as a process, as it was built, for tests of how it starts, ends and is killed.

const MAIN = fileURLToPath(new URL('../../dist/control-plane.mjs', import.meta.url))

export interface Run {
  readonly child: ChildProcess
  /** Everything that was written so far, to both. */
  text(): string
  readonly code: Promise<number | null>
}

export function run(args: readonly string[], env: Readonly<Record<string, string>>): Run {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], PORT: '0', LOCAL_TOOLBOX: 'off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, text: () => text, code }
}

export async function end({ child }: Pick<Run, 'child'>, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await ended
}

/** Waits until a control plane has said where it is. */
export async function ready(running: Run): Promise<Run & { readonly url: string; readonly link: string }> {
  await expect.poll(running.text, { timeout: 30_000 }).toMatch(/#link_\S+/)
  const [link, url] = /(http:\/\/localhost:\d+)\/sign-in#\S+/.exec(running.text())!
  return { ...running, link, url: url! }
}

export async function signIn(link: string): Promise<{ readonly status: number; readonly cookie: string }> {
  const [origin, token] = [new URL(link).origin, new URL(link).hash.slice(1)]
  const answer = await fetch(`${origin}/api/session/link`, {
    method: 'POST',
    body: JSON.stringify({ token }),
    headers: { 'content-type': 'application/json' },
  })
  return { status: answer.status, cookie: answer.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '' }
}
