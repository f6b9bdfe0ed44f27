import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface AuthorizationRun {
  readonly issuer: string
  readonly resource: string
  readonly clientId: string
  /** A free port of this machine, at which the client's redirect address is: `http://127.0.0.1:<port>/callback`. */
  readonly port: number
  /** Leads a person through the page. */
  readonly visit: (url: string) => Promise<void>
}

const suite = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'))
const WITHIN_MS = 120_000

/** Runs the suite's scenarios for authorization servers. @returns `scenario check: status`, and what was wrong. */
export async function checkAuthorizationServer(run: AuthorizationRun): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-conformance-'))
  const { issuer, resource, clientId, port } = run
  const options = ['--url', issuer, '--resource', resource, '--client-id', clientId, '-p', String(port), '-o', folder]
  const child = spawn(process.execPath, [join(suite, 'dist/index.js'), 'authorization', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: WITHIN_MS,
  })
  const ended = once(child, 'exit')
  try {
    let printed = ''
    let visited: Promise<void> | undefined
    for await (const chunk of child.stdout) {
      printed += chunk
      const asked = /^(http\S+response_type=code\S*)$/m.exec(printed)?.[1]
      if (asked !== undefined) visited ??= run.visit(asked)
    }
    await ended
    await visited
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('checks.json'))
      .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Check[])
      .map(({ id, status, errorMessage }) => `${id}: ${status}${errorMessage ? `, ${errorMessage}` : ''}`)
      .sort()
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}
