import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { arch, hostname, platform, release } from 'node:os'
import manifest from '../package.json' with { type: 'json' }
import { type Config, ConfigError, EX_CONFIG, parseConfig } from './config.ts'
import { createDtma } from './dtma.ts'
import { PortError } from './http/serve.ts'
import { createLog } from './log.ts'
import { StateInUse } from './system/state-lock.ts'
import { superviseMain, TRIAL } from './update/supervise.main.ts'
import { switchMain } from './update/switch.main.ts'

/** EX_SOFTWARE: a bug of ours. Whoever supervises us starts us again, and the tools run on meanwhile. */
const EX_SOFTWARE = 70

/** Reads the environment, starts DTMA, and ends it when the system says so. What DTMA consists of is in dtma.ts. */
async function main(): Promise<void> {
  const config = configOrExit()
  const log = createLog({
    level: config.logLevel,
    write: (line) => void process.stdout.write(line),
    date: () => new Date(),
  })
  for (const event of ['uncaughtException', 'unhandledRejection'])
    process.on(event, (error: unknown) => {
      log.error('DTMA ends: unexpected failure', { error })
      process.exit(EX_SOFTWARE)
    })

  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort(new Error(signal)))
  let restarting = false
  const restart = () => {
    restarting = true
    stop.abort(new Error('restart'))
  }

  if (process.argv[2] === 'switch') {
    await switchMain(config, log, stop.signal)
    process.exit(0)
  }

  const onTrial = process.argv[2] === TRIAL
  if (!onTrial && (await superviseMain(config, log, stop.signal))) process.exit(0)

  try {
    const machine = { hostname: hostname(), os: `${platform()} ${release()}`, arch: arch() }
    const selfHints = { mountInfo: textOf('/proc/self/mountinfo'), hostname: hostname() }
    const version = manifest.version
    const deps = { config, log, version, runId: randomUUID(), machine, selfHints, onTrial, restart }
    const { ended } = await createDtma(deps, stop.signal)
    await ended
  } catch (error) {
    if (!(error instanceof PortError || error instanceof StateInUse)) throw error
    console.error(error.message)
    process.exit(1)
  }
  if (restarting) beginAnew()
  process.exit(0)
}

function configOrExit(): Config {
  try {
    return parseConfig(process.env, existsSync('/.dockerenv') || existsSync('/run/.containerenv'))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    return process.exit(EX_CONFIG)
  }
}

/** The same process runs the program from its beginning: a restart needs nobody who starts us again. */
function beginAnew(): void {
  const { execPath, execArgv, argv, env } = process
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], env)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // no such system: then there is no container to find either
  }
}

void main()
