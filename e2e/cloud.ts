import { fileURLToPath } from 'node:url'
import { type Cloud, openCloud } from '@agentopia/testbed/cloud'
import { openGitServer } from '@agentopia/testbed/git-server'
import { buildMachineImages } from '@agentopia/testbed/machines'
import { openRegistry } from '@agentopia/testbed/registry'
import { freePort, type Product, startProduct } from './product.ts'

export interface CloudAndProduct extends AsyncDisposable {
  readonly cloud: Cloud
  readonly product: Product
}

const DTMA = fileURLToPath(new URL('../dtma', import.meta.url))
const DTMA_IMAGE = 'agentopia-dtma:latest'

/** An emulated DigitalOcean, and the product that takes it for the real one. Nothing of both is left when it is disposed. */
export async function startWithCloud(env: Readonly<Record<string, string>> = {}): Promise<CloudAndProduct> {
  await buildMachineImages()
  const cloud = await openCloud({ bed: Number(process.env['TESTBED'] ?? process.env['VITEST_POOL_ID'] ?? 0) })
  const registry = await openRegistry(env['DTMA_IMAGE'] ?? process.env['DTMA_IMAGE'] ?? DTMA_IMAGE, cloud.gateway)
  const source = await openGitServer(DTMA, cloud.gateway)
  const closeCloud = async () => {
    await registry[Symbol.asyncDispose]()
    await source[Symbol.asyncDispose]()
    await cloud.close()
  }
  try {
    const port = env['PORT'] ?? String(await freePort())
    const product = await startProduct({
      PORT: port,
      HOST: '0.0.0.0',
      PUBLIC_URL: `http://${cloud.gateway}:${port}`,
      DIGITALOCEAN_API_URL: cloud.url,
      LOCAL_TOOLBOX: 'off',
      DTMA_REGISTRY_IMAGE: registry.image,
      DTMA_SOURCE_URL: source.url,
      DTMA_SOURCE_COMMIT: source.commit,
      ...env,
    })
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
