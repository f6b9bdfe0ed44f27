import { ProblemError } from '@agentopia/api'
import { causesOf } from './causes.ts'
import { StoreError } from './store/store-error.ts'

/** Why the program does not start: a sentence for people, and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly fix: string
  readonly exitCode: number

  constructor(message: string, fix: string, options: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options)
    this.fix = fix
    this.exitCode = options.exitCode ?? 1
  }
}

/** The one place that turns a failed start into words. @returns `undefined` for a failure that nobody foresaw: a bug. */
export function startFailure(error: unknown): StartError | undefined {
  if (error instanceof StartError) return error
  if (error instanceof StoreError) return new StartError(error.message, error.fix, { cause: error })
  for (const cause of causesOf(error)) {
    const { code, path, port } = cause as NodeJS.ErrnoException & { readonly port?: number }
    const where = path ?? 'the data directory'
    if (code === 'EADDRINUSE')
      return new StartError(
        `The port ${port} is in use by another program`,
        'Stop that program, or set PORT to another one.',
      )
    if (code === 'EADDRNOTAVAIL')
      return new StartError('This machine does not have the address of HOST', 'Set HOST to 127.0.0.1 or 0.0.0.0.')
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === '53100')
      return new StartError('The disk is full', 'Free some space and start again; nothing was damaged.')
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      return port === undefined
        ? new StartError(`This user may not write ${where}`, 'Set DATA_DIR to a directory that this user owns.')
        : new StartError(`This user may not listen on port ${port}`, 'Set PORT to a number above 1023.')
    if (code === 'ENOTDIR' || code === 'EEXIST')
      return new StartError(`${where} is in the way`, 'Set DATA_DIR to a directory of its own.')
  }
  if (error instanceof ProblemError && error.code === 'store-unavailable')
    return new StartError('The database does not answer', 'Start again; if it stays so, read the lines above.', {
      cause: error,
    })
  return undefined
}
