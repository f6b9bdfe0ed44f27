import { fileURLToPath } from 'node:url'
import { type Cloud, openCloud } from '@agentopia/testbed/cloud'
import { openGitServer } from '@agentopia/testbed/git-server'
import { buildMachineImages } from '@agentopia/testbed/machines'
import { openRegistry } from '@agentopia/testbed/registry'
import { type OwnImage, ownBuild, ownImage } from './given-out.ts'
import { freePort, type Product, startProduct } from './product.ts'

export interface CloudAndProduct extends AsyncDisposable {
  readonly cloud: Cloud
  readonly product: Product
}

const DTMA = fileURLToPath(new URL('../dtma', import.meta.url))
const DTMA_IMAGE = 'agentopia-dtma:latest'

/** So that several may be on one machine. */
const BED = Number(process.env['TESTBED'] ?? process.env['VITEST_POOL_ID'] ?? 0)

/**
 * An emulated DigitalOcean, and the product that takes it for the real one. Nothing of both is left when it is disposed.
 * @param env Added to the environment of the control plane.
 * @param program Another build than that of `dist/`.
 */
export async function startWithCloud(
  env: Readonly<Record<string, string>> = {},
  program?: string,
): Promise<CloudAndProduct> {
  await buildMachineImages()
  const cloud = await openCloud({ bed: BED })
  const registry = await openRegistry(env['DTMA_IMAGE'] ?? process.env['DTMA_IMAGE'] ?? DTMA_IMAGE, cloud.gateway)
  const source = await openGitServer(DTMA, cloud.gateway)
  const closeCloud = async () => {
    await registry[Symbol.asyncDispose]()
    await source[Symbol.asyncDispose]()
    await cloud.close()
  }
  try {
    const port = env['PORT'] ?? String(await freePort())
    const settings = {
      PORT: port,
      HOST: '0.0.0.0',
      PUBLIC_URL: `http://${cloud.gateway}:${port}`,
      DIGITALOCEAN_API_URL: cloud.url,
      LOCAL_TOOLBOX: 'off',
      DTMA_REGISTRY_IMAGE: registry.image,
      DTMA_SOURCE_URL: source.url,
      DTMA_SOURCE_COMMIT: source.commit,
      ...env,
    }
    const product = await startProduct(settings, program)
    return {
      cloud,
      product,
      async [Symbol.asyncDispose]() {
        await product[Symbol.asyncDispose]()
        await closeCloud()
      },
    }
  } catch (error) {
    await closeCloud()
    throw error
  }
}

export interface CloudAndReleases extends CloudAndProduct {
  /** To all toolboxes, however DTMA is installed there; the control plane is started again for it. */
  giveOut(...release: Parameters<OwnImage['giveOut']>): Promise<void>
}

/** The same with a control plane that can be made to give out other versions of DTMA. */
export async function startWithReleases(): Promise<CloudAndReleases> {
  await using opened = new AsyncDisposableStack()
  const image = opened.use(await ownImage(`agentopia-e2e-dtma:bed-${BED}`))
  const build = opened.use(await ownBuild())
  const { cloud, product } = opened.use(await startWithCloud({ DTMA_IMAGE: image.name }, build.program))
  const all = opened.move()
  return {
    cloud,
    product,
    async giveOut(version, instead) {
      await Promise.all([image.giveOut(version, instead), build.giveOut(version, instead)])
      await product.stop()
      await product.start()
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
