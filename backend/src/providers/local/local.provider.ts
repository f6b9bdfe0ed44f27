import { chmod, chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ProviderError, type ToolboxProvider } from '../provider.ts'
import type { Docker } from './docker.ts'
import { containerName, createBody, type DtmaRecipe, LABELS, machineOf, TOKEN_FILE, userFor } from './dtma-container.ts'
import { forgetFirewall } from './forget-firewall.ts'
import { ownerOf, removeBelongings } from './remove-belongings.ts'

export interface LocalProviderConfig {
  /** Absolute path of the data directory of this control plane. */
  readonly dataDir: string
  /** Where DTMA reaches this control plane, e.g. `http://127.0.0.1:3000`. */
  readonly apiBaseUrl: string
  /** Name of the DTMA image on this machine. */
  readonly image: string
  /** DTMA's own port, on loopback. */
  readonly port: number
  /** Docker's socket on this machine. */
  readonly socketPath: string
  /** Where packages come from: more of DTMA's environment. */
  readonly packages?: Readonly<Record<string, string>>
}

/** uid and gid of the user `node` in the DTMA image. */
const NODE = { uid: 1000, gid: 1000 }
/** Well within the time of one step of a reconciler. */
const STOP_GRACE_SECONDS = 10

/** This machine as a toolbox: DTMA in a container of its own. Replacing that container leaves the tools running. */
export function createLocalProvider(docker: Docker, config: LocalProviderConfig): ToolboxProvider {
  const stateDir = join(config.dataDir, 'dtma')
  // Only root can hand the state to the image's own user; anybody else runs DTMA as himself.
  const us = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const owner = us.uid === 0 ? NODE : us

  async function recipe(toolboxId: string, signal: AbortSignal): Promise<DtmaRecipe | undefined> {
    const imageId = await docker.imageId(config.image, signal)
    if (!imageId) return undefined
    const { apiBaseUrl, port, socketPath, dataDir, packages } = config
    const user = userFor(owner, await onDisk(stat(socketPath)))
    return {
      toolboxId,
      imageId,
      home: dataDir,
      stateDir,
      socketPath,
      user,
      apiBaseUrl,
      port,
      ...(packages ? { packages } : {}),
    }
  }

  /** Readable by DTMA alone; replaced in one step, so that it is never half there. */
  async function writeToken(token: string): Promise<void> {
    await onDisk(replaceToken(token))
  }

  async function replaceToken(token: string): Promise<void> {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    const path = join(stateDir, TOKEN_FILE)
    const temporary = `${path}.new`
    await rm(temporary, { force: true })
    await writeFile(temporary, token, { mode: 0o600, flag: 'wx', flush: true })
    if (us.uid === 0) {
      await chmod(stateDir, 0o700)
      await chown(stateDir, owner.uid, owner.gid)
      await chown(temporary, owner.uid, owner.gid)
    }
    await rename(temporary, path)
  }

  return {
    name: 'local',

    async find(toolboxId, signal) {
      const found = await docker.inspect(containerName(toolboxId), signal)
      if (!found) return undefined
      if (found.Config.Labels?.[LABELS.toolbox] !== toolboxId)
        throw new ProviderError(
          `A container that is not ours is called ${containerName(toolboxId)}: rename or remove it`,
        )
      const present = await recipe(toolboxId, signal)
      return machineOf(found, present && createBody(present).Labels[LABELS.recipe])
    },

    async create(toolboxId, enrolmentToken, signal) {
      const present = await recipe(toolboxId, signal)
      if (!present)
        throw new ProviderError(
          `Docker has no image ${config.image}: build it with \`docker build -t ${config.image} dtma/\``,
        )
      const name = containerName(toolboxId)
      // One data directory has one DTMA: an earlier one, also of a toolbox that is forgotten, makes room.
      for (const earlier of [
        name,
        ...(await docker.list(`${LABELS.home}=${config.dataDir}`, signal)).map(({ Id }) => Id),
      ]) {
        await docker.stop(earlier, STOP_GRACE_SECONDS, signal)
        await docker.remove(earlier, signal)
      }
      await writeToken(enrolmentToken)
      await docker.create(name, createBody(present), signal)
      await docker.start(name, signal)
    },

    renewToken: (_toolboxId, enrolmentToken) => writeToken(enrolmentToken),

    start: (toolboxId, signal) => docker.start(containerName(toolboxId), signal),

    async destroy(toolboxId, signal) {
      await docker.stop(containerName(toolboxId), STOP_GRACE_SECONDS, signal)
      await docker.remove(containerName(toolboxId), signal)
      const owner = await onDisk(ownerOf(stateDir))
      if (owner !== undefined) {
        await removeBelongings(docker, owner, signal)
        // Without the image no DTMA has run here that made rules.
        const image = await docker.imageId(config.image, signal)
        if (image !== undefined) await forgetFirewall(docker, { owner, image }, signal)
      }
      await onDisk(rm(stateDir, { recursive: true, force: true }))
    },
  }
}

/** A full disk or a missing right is a fact about the machine that its owner can change. */
async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new ProviderError(`This machine refused: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}
