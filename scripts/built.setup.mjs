import { buildProduct } from './setup/product.mjs'

/** Tests that run the program run it as it stands in the sources; where nothing of them has changed, this takes a moment. */
export async function setup() {
  await buildProduct()
}
