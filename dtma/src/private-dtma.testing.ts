import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DtmaProcess, dtmaProcess } from './dtma-process.testing.ts'
import { createDockerApi, type DockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { copyImages, type PrivateDocker, privateDocker } from './private-docker.testing.ts'
import { type SmallImage, smallImage } from './tools/small-image.testing.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const SHARED = '/var/run/docker.sock'
const never = new AbortController().signal

/** DTMA on a Docker of the test's own. */
export interface PrivateDtma extends AsyncDisposable {
  readonly machine: PrivateDocker
  readonly dtma: DtmaProcess
  /** Of the program that was asked for. */
  readonly image: SmallImage
}

export interface PrivateDtmaOptions {
  /** A server, of which an image is made. */
  readonly program: string
  /** Further lines of its Dockerfile. */
  readonly lines?: string
  /** Makes further images on the Docker that all share. @returns their names. */
  readonly more?: (shared: DockerApi, base: string) => Promise<readonly string[]>
}

/** Starts both. The private Docker has no way to a registry: its images are made outside and brought along. */
export async function privateDtma({ program, lines, more }: PrivateDtmaOptions): Promise<PrivateDtma> {
  const machine = await privateDocker()
  const dtma = await dtmaProcess({
    DOCKER_HOST: `unix://${machine.socketPath}`,
    DTMA_STATE_DIR: join(machine.disk, 'dtma'),
    DTMA_RUNNER_IMAGE: BASE,
  })
  async function close(): Promise<void> {
    await dtma.stop()
    await machine.close()
  }
  try {
    await machine.start({ liveRestore: true })
    await mkdir(join(machine.disk, 'dtma'))
    const shared = createDockerApi(createEngineHttp(SHARED))
    const image = await smallImage(shared, BASE, program, never, lines)
    const others = (await more?.(shared, BASE)) ?? []
    const file = `/var/tmp/dtma-${process.pid}.tar`
    await copyImages(SHARED, machine.socketPath, [BASE, image.reference, ...others], file)
    await shared.removeImage(image.reference, never)
    await dtma.start()
    return { machine, dtma, image, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
