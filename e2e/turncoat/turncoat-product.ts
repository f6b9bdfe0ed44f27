import { fileURLToPath } from 'node:url'
import { addCatalogTool } from '@agentopia/api'
import { openFixtureImage } from '../conformance/fixture-image.ts'
import { type Product, startProduct } from '../product.ts'

/** The product with a tool of its account's own: a server that changes its mind. */
export async function startWithTurncoat(): Promise<Product> {
  const image = await openFixtureImage(fileURLToPath(new URL('./turncoat.server.ts', import.meta.url)))
  const product = await startProduct()
  await product.client.call(addCatalogTool, {
    body: {
      id: 'turncoat',
      title: 'Turncoat',
      summary: 'A server that becomes another one while it runs.',
      publisher: 'Tests',
      icon: 'sparkles',
      categories: ['testing'],
      spec: { package: { type: 'oci', image: image.reference }, transport: { type: 'stdio' } },
    },
  })
  return Object.create(product, {
    [Symbol.asyncDispose]: {
      async value() {
        await product[Symbol.asyncDispose]()
        await image[Symbol.asyncDispose]()
      },
    },
  }) as Product
}
