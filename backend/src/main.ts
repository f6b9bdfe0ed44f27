import { changeKey, finishRecovery, printSignInLink, showRecovery, stopLocal } from './commands.ts'
import { type Config, parseConfig } from './config.ts'
import { start } from './start.ts'
import { StartError, startFailure } from './start-error.ts'

const COMMANDS: Readonly<Record<string, (config: Config) => Promise<void>>> = {
  start,
  stop: stopLocal,
  'sign-in-link': printSignInLink,
  recovery: showRecovery,
  'end-recovery': finishRecovery,
  'change-master-key': changeKey,
}

try {
  const name = process.argv[2] ?? 'start'
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command)
    throw new StartError(`There is no command of that name`, `Known are: ${Object.keys(COMMANDS).join(', ')}.`)
  await command(parseConfig(process.env))
  process.exit(0) // libraries may hold timers; everything of ours has ended
} catch (error) {
  const failure = startFailure(error)
  if (failure) process.stderr.write(`\n${failure.message}\n${failure.fix}\n`)
  else process.stderr.write(`\nUnexpected failure: ${error instanceof Error ? error.stack : error}\n`)
  process.exit(failure?.exitCode ?? 70) // EX_SOFTWARE
}
