import { FIRST_USER } from './accounts/first-account.ts'
import { issueSignInLink, signInUrl } from './accounts/sign-in-link.store.ts'
import { readAddress } from './address-file.ts'
import type { Config } from './config.ts'
import { changeMasterKey } from './master-key/change-master-key.ts'
import { previousKeyFile } from './master-key/master-key.file.ts'
import { createDocker } from './providers/local/docker.ts'
import { stopLocalToolbox } from './providers/local/stop-local-toolbox.ts'
import { readDifferences } from './recovery/differences.ts'
import { endRecovery, recoveringSince } from './recovery/recovery.store.ts'
import { StartError } from './start-error.ts'
import { joinStore } from './store/join.ts'

const STOP_MS = 120_000

/** Takes the local toolbox's containers away; what they keep stays, and the next start brings them back. */
export async function stopLocal({ dataDir, local }: Config): Promise<void> {
  const stopped = await stopLocalToolbox(
    createDocker(local.dockerSocket),
    { dataDir, image: local.image },
    AbortSignal.timeout(STOP_MS),
  )
  const tools = stopped.tools === 1 ? '1 tool' : `${stopped.tools} tools`
  process.stdout.write(
    stopped.dtma + stopped.tools === 0
      ? 'Nothing of this data directory was running.\n'
      : `Stopped the local toolbox and ${tools}. Their data stays; npm start brings them back.\n`,
  )
}

/** Prints a new one-time link, while the control plane runs. */
export async function printSignInLink({ http, dataDir, store: config }: Config): Promise<void> {
  await using store = await joinStore(config)
  const publicUrl = http.publicUrl ?? readAddress(dataDir)
  if (!store || !publicUrl) throw doesNotRun('Start it: it prints a link itself.')
  const token = await store.system((tx) => issueSignInLink(tx, FIRST_USER, new Date()))
  process.stdout.write(`${signInUrl(publicUrl, token)}\n`)
}

/** Says what a restored database does not know, while the control plane runs on it and only watches. */
export async function showRecovery({ store: config }: Config): Promise<void> {
  await using store = await joinStore(config)
  if (!store) throw doesNotRun('Start it: it finds out what differs.')
  const lines = await store.system(async (tx) => {
    const since = await recoveringSince(tx)
    return (
      since && [
        `Restored from a copy; nothing is carried out since ${since.toISOString()}.`,
        ...(await readDifferences(tx, since)),
      ]
    )
  })
  process.stdout.write(`${(lines ?? ['No recovery is under way.']).join('\n')}\n`)
}

/** From now on what the restored database says is carried out. */
export async function finishRecovery({ store: config }: Config): Promise<void> {
  await using store = await joinStore(config)
  if (!store) throw doesNotRun('Start it, and look at what differs first.')
  const ended = await store.system(endRecovery)
  process.stdout.write(
    ended ? 'The recovery is ended; what the database says is carried out.\n' : 'No recovery is under way.\n',
  )
}

/** Makes another master key in the data directory, while the control plane runs; it is used from the next start on. */
export async function changeKey({ dataDir, store: config, masterKey }: Config): Promise<void> {
  if (masterKey)
    throw new StartError(
      'The master key is given as MASTER_KEY, and is in no file',
      'Change it where it is set, with the one before as OTHER_MASTER_KEY: docs/operations.md says in which order.',
    )
  await using store = await joinStore(config)
  if (!store) throw doesNotRun('Start it: its database says which key is in use.')
  const keyId = await changeMasterKey(store, dataDir)
  process.stdout.write(
    `There is another master key, ${keyId}: start the control plane anew. What is stored is sealed under it then, and its log says when
nothing is left under the one before. That is kept in ${previousKeyFile(dataDir)}: backups until then need it.
`,
  )
}

const doesNotRun = (fix: string) => new StartError('The control plane of this data directory does not run', fix)
