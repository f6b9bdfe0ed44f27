import {
  forgetSshHostKey,
  makeSshKey,
  problem,
  readSshHostKey,
  runOverSsh,
  type SshAction,
  type SshEvent,
  type SshHostKey,
  type SshLogin,
} from '@agentopia/api'
import { eq } from 'drizzle-orm'
import type { Client } from 'ssh2'
import { recordActivity } from '../../events/activity.store.ts'
import type { Mount } from '../../http/mount.ts'
import type { Installer } from '../../install/installer.ts'
import type { Clock } from '../../reconcile/clock.ts'
import type { Store, Tx } from '../../store/connect.ts'
import { toolboxes } from '../../store/schema/index.ts'
import type { Sealer } from '../../store/seal.ts'
import { getToolboxRow, type ToolboxRow, toolboxNotFound } from '../../toolboxes/toolbox.store.ts'
import { issueEnrolmentToken } from '../../uplink/enrolment.store.ts'
import { refusalOfKey } from './host-key.ts'
import { remoteScript } from './remote-script.ts'
import { runOverSsh as run } from './run-over-ssh.ts'
import { lookAtHostKey, openSsh, type Proof, type SshDoor } from './ssh-connection.ts'
import { ensureSshKey, openSshKey } from './ssh-key.store.ts'

export interface SshRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly sealer: Sealer
  readonly installer: Pick<Installer, 'script'>
}

const LOOK_MS = 30_000
/** A bare machine on a slow line installs Docker and loads an image. */
const RUN_MS = 30 * 60_000

/** DTMA over SSH: the control plane comes to the server, shows what it does, and keeps nothing that it was lent. */
export function sshRoutes(mount: Mount, { store, clock, sealer, installer }: SshRouteDeps): void {
  const busy = new Set<string>()

  mount.reply(makeSshKey, async (_, { caller: { accountId } }) => ({
    publicKey: await store.tenant(accountId, (tx) => ensureSshKey(tx, sealer, accountId)),
  }))

  mount.reply(readSshHostKey, async ({ params: { toolboxId } }, { caller, signal }) => {
    const { door } = await store.tenant(caller.accountId, (tx) => findDoor(tx, toolboxId))
    const seen = await lookAtHostKey(door, AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]))
    return { seen, ...(door.recorded ? { recorded: door.recorded } : {}) }
  })

  mount.reply(forgetSshHostKey, async ({ params: { toolboxId } }, { caller }) => {
    await store.tenant(caller.accountId, async (tx) => {
      const { row, door } = await findDoor(tx, toolboxId)
      await tx.update(toolboxes).set({ sshHostKey: null }).where(eq(toolboxes.id, toolboxId))
      const what = `Forgot the host key ${door.recorded?.fingerprint ?? '(none)'} of ${row.name}`
      await record(tx, row, caller.actor, 'toolbox.ssh-host-key-forgotten', what)
    })
    return undefined
  })

  mount.stream(runOverSsh, async ({ params: { toolboxId }, body }, { caller, signal: gone }) => {
    const { accountId, actor } = caller
    const { action, login, hostKey } = body
    const { row, door, proof } = await store.tenant(accountId, async (tx) => {
      const found = await findDoor(tx, toolboxId)
      // What is no toolbox any more may still be taken off its server.
      if (found.row.deletedAt && action !== 'uninstall') throw toolboxNotFound(toolboxId)
      return { ...found, proof: await proofOf(tx, accountId, login) }
    })
    const text = await installer.script(row.installVariant)
    if (busy.has(toolboxId)) throw problem('ssh-busy', `Something runs on ${door.host} already`)
    busy.add(toolboxId)
    const signal = AbortSignal.any([
      endedBy(gone, 'You ended it'),
      endedBy(AbortSignal.timeout(RUN_MS), 'It took too long'),
    ])
    let client: Client | undefined
    try {
      let seen: SshHostKey | undefined
      const refusal = (key: SshHostKey) => {
        seen = key
        return refusalOfKey(key, { recorded: door.recorded, accepted: hostKey })
      }
      client = await openSsh(door, { refusal, proof }, signal)
      const token = await begin(row, { action, actor, hostKey: seen! })
      const password = 'password' in proof ? proof.password : undefined
      const args = { install: [row.id], update: [], uninstall: ['--uninstall'] }[action]
      const script = remoteScript({ user: door.user, password, script: text, args, input: `${token}\n` })
      const events = run({ client, script, secrets: [token, password ?? ''], signal })
      return sent(events, async (end) => {
        busy.delete(toolboxId)
        await store.tenant(accountId, (tx) =>
          record(
            tx,
            row,
            actor,
            `toolbox.ssh-${action}`,
            `${NOUNS[action]} of ${row.name} over SSH: ${end ?? 'You ended it'}`,
          ),
        )
      })
    } catch (error) {
      busy.delete(toolboxId)
      client?.end()
      throw error
    }
  })

  /** @throws {ProblemError} `ssh-login-refused` when the account has no key. */
  async function proofOf(tx: Tx, accountId: string, login: SshLogin): Promise<Proof> {
    if (login.type !== 'account-key') return login
    const privateKey = await openSshKey(tx, sealer, accountId)
    if (!privateKey)
      throw problem('ssh-login-refused', 'The account has no SSH key yet: make it, and add it to the server')
    return { privateKey }
  }

  /** The key of the server is recorded now that it is known to be accepted. @returns The one-time token; empty when none is needed. */
  const begin = (
    row: ToolboxRow,
    { action, actor, hostKey }: { action: SshAction; actor: string; hostKey: SshHostKey },
  ) =>
    store.tenant(row.accountId, async (tx) => {
      await tx.update(toolboxes).set({ sshHostKey: hostKey }).where(eq(toolboxes.id, row.id))
      const what = `Began to ${action} ${row.name} over SSH at ${row.sshPlace?.host} (${hostKey.fingerprint})`
      await record(tx, row, actor, `toolbox.ssh-${action}-begun`, what)
      return action === 'install' ? issueEnrolmentToken(tx, row, new Date(clock.now())) : ''
    })
}

const NOUNS = { install: 'Installation', update: 'Update', uninstall: 'Removal' } as const

async function findDoor(tx: Tx, toolboxId: string): Promise<{ readonly row: ToolboxRow; readonly door: SshDoor }> {
  const row = await getToolboxRow(tx, toolboxId)
  if (!row.sshPlace) throw problem('not-over-ssh', `${row.name} is of the provider ${row.provider}`)
  return { row, door: { ...row.sshPlace, ...(row.sshHostKey ? { recorded: row.sshHostKey } : {}) } }
}

/** The events, and afterwards what is to be done whether they were read to the end or not. */
async function* sent(
  events: AsyncIterable<SshEvent>,
  after: (summary: string | undefined) => Promise<void>,
): AsyncGenerator<{ data: SshEvent }> {
  let summary: string | undefined
  try {
    for await (const data of events) {
      if (data.type === 'end') summary = data.summary
      yield { data }
    }
  } finally {
    await after(summary)
  }
}

/** The same signal, with a reason that people understand. */
function endedBy(signal: AbortSignal, reason: string): AbortSignal {
  const own = new AbortController()
  const end = () => own.abort(new Error(reason))
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return own.signal
}

const record = (tx: Tx, { id, accountId }: ToolboxRow, actor: string, action: string, message: string) =>
  recordActivity(tx, { accountId, actor, action, subject: id, toolboxId: id, message })
