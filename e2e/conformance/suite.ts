import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const REVISIONS = { '2025-11-25': 30, '2026-07-28': 37 } as const
export type Revision = keyof typeof REVISIONS

export interface Score {
  readonly passed: number
  /** What failed or was not run, and why. */
  readonly failed: readonly string[]
  readonly warnings: readonly string[]
}

interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

const suite = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'))

/** Runs the scored server scenarios of one revision against an endpoint. */
export async function score(url: string, revision: Revision): Promise<Score> {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-conformance-'))
  try {
    const args = [join(suite, 'dist/index.js'), 'server', '--url', url, '--requirements', revision, '-o', folder]
    // Its exit code says less than its files do.
    await new Promise<void>((resolve) => execFile(process.execPath, args, { timeout: 300_000 }, () => resolve()))
    return scoreOf(folder, revision)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * Runs one scenario for clients: the suite starts a server and a program that it gives the server's address.
 * @param command What it starts, for a shell of the suite; the address comes last.
 * @returns What was wrong; empty: nothing.
 */
export async function scoreClient(command: string, scenario: string, revision: Revision): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-conformance-'))
  try {
    const what = ['--scenario', scenario, '--spec-version', revision, '--command', command, '-o', folder]
    const args = [join(suite, 'dist/index.js'), 'client', ...what]
    await new Promise<void>((resolve) => execFile(process.execPath, args, { timeout: 120_000 }, () => resolve()))
    const checks = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('checks.json'))
      .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Check[])
    if (!checks.some(({ status }) => status === 'SUCCESS')) return ['nothing was checked']
    return checks
      .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
      .map(({ id, errorMessage }) => `${id} ${errorMessage}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function scoreOf(folder: string, revision: Revision): Score {
  const ran = readdirSync(folder)
  const failed: string[] = []
  const warnings: string[] = []
  let passed = 0
  for (const scenario of scoredIn(revision)) {
    const found = ran.find((name) => new RegExp(`^server-${scenario}-\\d{4}-`).test(name))
    const checks = found ? (JSON.parse(readFileSync(join(folder, found, 'checks.json'), 'utf8')) as Check[]) : []
    const wrong = checks.filter(({ status }) => status === 'FAILURE')
    if (checks.length > 0 && wrong.length === 0) passed += 1
    else
      failed.push(
        `${scenario}: ${wrong.map(({ id, errorMessage }) => `${id} ${errorMessage}`).join('; ') || 'not run'}`,
      )
    for (const { id, status, errorMessage } of checks)
      if (status === 'WARNING') warnings.push(`${scenario}: ${id} ${errorMessage}`)
  }
  return { passed, failed, warnings }
}

/** The names under `server:` in the suite's own list. */
function scoredIn(revision: Revision): string[] {
  const [, after = ''] = readFileSync(join(suite, `requirements/${revision}.yaml`), 'utf8').split('\nserver:\n')
  return after
    .split('\n')
    .slice(
      0,
      after.split('\n').findIndex((line) => !line.startsWith('  - ')),
    )
    .map((line) => line.slice('  - '.length))
}
