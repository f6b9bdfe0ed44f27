import { type Cloud, openCloud } from '@agentopia/testbed/cloud'
import { buildMachineImages } from '@agentopia/testbed/machines'
import { freePort, type Product, startProduct } from './product.ts'

export interface CloudAndProduct extends AsyncDisposable {
  readonly cloud: Cloud
  readonly product: Product
}

/** An emulated DigitalOcean, and the product that takes it for the real one. Nothing of both is left when it is disposed. */
export async function startWithCloud(env: Readonly<Record<string, string>> = {}): Promise<CloudAndProduct> {
  await buildMachineImages()
  const cloud = await openCloud({ bed: Number(process.env['TESTBED'] ?? 0) })
  try {
    const port = env['PORT'] ?? String(await freePort())
    const product = await startProduct({
      PORT: port,
      HOST: '0.0.0.0',
      PUBLIC_URL: `http://${cloud.gateway}:${port}`,
      DIGITALOCEAN_API_URL: cloud.url,
      LOCAL_TOOLBOX: 'off',
      ...env,
    })
    return {
      cloud,
      product,
      async [Symbol.asyncDispose]() {
        await product[Symbol.asyncDispose]()
        await cloud.close()
      },
    }
  } catch (error) {
    await cloud.close()
    throw error
  }
}
