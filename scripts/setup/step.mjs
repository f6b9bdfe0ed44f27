// One step of the set-up: shown with its time, and with one clear sentence when it fails.
// These files run before anything is installed: plain JavaScript, Node 20, no dependencies.

/** A failure that people can act on. */
export class StepError extends Error {
  /** @param {string} message what is wrong @param {string} fix what to do */
  constructor(message, fix) {
    super(message)
    this.name = 'StepError'
    this.fix = fix
  }
}

/** What a step returns when there was nothing to do. */
export const upToDate = (detail = 'up to date') => ({ skipped: true, detail })

const tty = process.stdout.isTTY
const paint = (code, text) => (tty ? `\u001b[${code}m${text}\u001b[0m` : text)

/**
 * Runs `act` and prints how it went and how long it took.
 * @template T @param {string} name @param {() => T | Promise<T>} act @returns {Promise<T>}
 */
export async function step(name, act) {
  const started = performance.now()
  process.stdout.write(tty ? `  ${paint(2, '…')} ${name}` : `  … ${name}\n`)
  try {
    const result = await act()
    const skipped = result?.skipped === true
    const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`
    line(skipped ? paint(2, '–') : paint(32, '✔'), name, skipped ? paint(2, result.detail) : seconds)
    return result
  } catch (error) {
    line(paint(31, '✖'), name, `${((performance.now() - started) / 1000).toFixed(1)} s`)
    throw error
  }
}

function line(mark, name, detail) {
  process.stdout.write(`${tty ? '\r\u001b[2K' : ''}  ${mark} ${name.padEnd(34)} ${detail}\n`)
}

/** Prints a failure as one sentence and the fix; the stack only of what nobody expected. */
export function explain(error) {
  if (error instanceof StepError) process.stderr.write(`\n${error.message}\n  fix: ${error.fix}\n`)
  else process.stderr.write(`\n${error?.stack ?? error}\n`)
}
