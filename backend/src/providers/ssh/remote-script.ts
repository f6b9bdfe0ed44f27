/** What the server's shell is given as a command, and what that reads. No secret is in the command. */
export interface RemoteScript {
  readonly command: string
  readonly input: string
}

export interface RemoteScriptFacts {
  readonly user: string
  /** Of `user`, for sudo. Absent: sudo must not ask. */
  readonly password?: string | undefined
  /** Text of the program. */
  readonly script: string
  /** Of the program; letters, digits, `-` and `_`. */
  readonly args: readonly string[]
  /** What the program reads. */
  readonly input: string
}

/** Runs a program of ours as root: it travels on standard input, before what it reads itself, and leaves no file behind. */
export function remoteScript({ user, password, script, args, input }: RemoteScriptFacts): RemoteScript {
  if (!args.every((arg) => /^[\w-]+$/.test(arg))) throw new RangeError('an argument would not be one word')
  const bytes = Buffer.byteLength(script)
  const inner = [
    'umask 077; d=$(mktemp -d) || exit 1; trap "rm -rf \\"$d\\"" EXIT; trap "exit 130" HUP INT TERM',
    `head -c ${bytes} >"$d/install-agentopia.sh" && sh ${['"$d/install-agentopia.sh"', ...args].join(' ')}`,
  ].join('; ')
  const whole = `${script}${input}`
  if (user === 'root') return { command: `exec sh -c '${inner}'`, input: whole }
  if (password === undefined) return { command: `exec sudo -n sh -c '${inner}'`, input: whole }
  // Where sudo does not ask, the password must not be taken for the beginning of the program.
  const choose =
    'if sudo -n true 2>/dev/null; then read -r _ && exec sudo -n sh -c "$0"; else exec sudo -S -p "" sh -c "$0"; fi'
  return { command: `exec sh -c '${choose}' '${inner}'`, input: `${password}\n${whole}` }
}
