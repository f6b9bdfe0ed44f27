// Runs every test and closes with one plain line of what was counted. Arguments are vitest's.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = mkdtempSync(join(tmpdir(), 'agentopia-tests-'))
const report = join(folder, 'report.json')
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, [vitest, ...args], { stdio: 'inherit' })

const counted = JSON.parse(readFileSync(report, 'utf8')) as Record<
  'numPassedTests' | 'numFailedTests' | 'numPendingTests',
  number
>
rmSync(folder, { recursive: true })
console.log(
  `\ntests: ${counted.numPassedTests} passed, ${counted.numFailedTests} failed, ${counted.numPendingTests} skipped`,
)
process.exitCode = status ?? 1
