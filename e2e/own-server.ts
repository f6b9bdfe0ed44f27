import { fileURLToPath } from 'node:url'
import { addCatalogTool, type NewTool } from '@agentopia/api'
import type * as z from 'zod'
import { openFixtureImage } from './conformance/fixture-image.ts'
import { type Product, startProduct } from './product.ts'

type OwnTool = Omit<z.input<typeof NewTool>, 'spec' | 'publisher' | 'icon' | 'categories'>

/** The product with a tool of its account's own: a server of these tests, in an image. @param program Its source. */
export async function startWithServer(program: URL, tool: OwnTool): Promise<Product> {
  const image = await openFixtureImage(fileURLToPath(program))
  const product = await startProduct()
  const spec = { package: { type: 'oci', image: image.reference }, transport: { type: 'stdio' } } as const
  const body = { ...tool, publisher: 'Tests', icon: 'sparkles', categories: ['testing'], spec }
  await product.client.call(addCatalogTool, { body })
  return Object.create(product, {
    [Symbol.asyncDispose]: {
      async value() {
        await product[Symbol.asyncDispose]()
        await image[Symbol.asyncDispose]()
      },
    },
  }) as Product
}
