import { spawn } from 'node:child_process'
import { StepError } from './step.mjs'

const KEEP = 20_000

/**
 * Runs a program to its end with its output kept aside.
 * @param {string} program @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, fix?: string }} [options]
 * @returns {Promise<string>} What it printed.
 * @throws {StepError} With the end of its output when it failed or took too long.
 */
export async function run(program, args, { cwd, env, timeoutMs = 1_800_000, fix = 'Read the lines above.' } = {}) {
  const { code, output } = await attempt(program, args, { cwd, env, timeoutMs })
  if (code === 0) return output
  const tail = output.trim().split('\n').slice(-15).join('\n')
  if (/ENOSPC|No space left on device/.test(output))
    throw new StepError(
      `The disk is full: ${program} could not finish`,
      'Free some space and start again; nothing was damaged.',
    )
  throw new StepError(`${tail}\n${program} ${args[0] ?? ''} failed (${code})`, fix)
}

/** The same, for programs that may fail: the caller looks at the code. `null`: not found or timed out. */
export function attempt(program, args, { cwd, env, timeoutMs = 60_000 } = {}) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const hear = (chunk) => {
      output = (output + chunk).slice(-KEEP)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', (error) => end(null, `${output}${error.message}`))
    child.once('close', (code) => end(code, output))
    function end(code, text) {
      clearTimeout(timer)
      resolve({ code, output: text })
    }
  })
}
