import { spawnSync } from 'node:child_process'
import { chownSync, readFileSync } from 'node:fs'

/** How a command is started so that PostgreSQL, which refuses uid 0, runs it. */
export interface Runner {
  readonly command: (program: string, args: readonly string[]) => readonly [string, readonly string[]]
  /** Passed to `spawn`. */
  readonly identity: { readonly uid?: number; readonly gid?: number }
  /** Gives a folder of ours to whoever runs the command. */
  readonly own: (folder: string) => void
}

const asWeAre: Runner = { command: (program, args) => [program, args], identity: {}, own: () => {} }

const USER_NAMESPACE = ['--user', '--map-user=1000', '--map-group=1000', '--'] as const

/**
 * A user namespace in which root is uid 1000: PostgreSQL sees an ordinary user, the files stay root's,
 * and a folder that only root may enter (a clone below /root) works. Linux with util-linux 2.38.
 */
const inUserNamespace: Runner = {
  command: (program, args) => ['unshare', [...USER_NAMESPACE, program, ...args]],
  identity: {},
  own: () => {},
}

/** Where user namespaces are forbidden (many containers): the postgres user, else nobody. */
function asOtherUser(): Runner {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const [, , uid, gid] = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody') ?? []
  const identity = { uid: Number(uid), gid: Number(gid) }
  return {
    command: (program, args) => [program, args],
    identity,
    own: (folder) => chownSync(folder, identity.uid, identity.gid),
  }
}

export function chooseRunner(uid = process.getuid?.()): Runner {
  if (uid !== 0) return asWeAre
  const works = spawnSync('unshare', [...USER_NAMESPACE, 'true'], { stdio: 'ignore' }).status === 0
  return works ? inUserNamespace : asOtherUser()
}
