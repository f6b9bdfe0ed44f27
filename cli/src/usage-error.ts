/** The command line itself is wrong: told with the usage, exit code 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
