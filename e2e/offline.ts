// npm run offline: the product and an emulated DigitalOcean on this machine, with droplets that boot. Needs `npm start`'s set-up.
import { setProviderToken } from '@agentopia/api'
import { startWithCloud } from './cloud.ts'
import { runProgram } from './product.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

await using both = await startWithCloud({ PORT: process.env['PORT'] ?? '3000' })
const { product, cloud } = both
await product.client.call(setProviderToken, { body: { token: cloud.emulator.world.token } })
// The link of the start was used for our own token.
const { stdout: link } = await runProgram(['sign-in-link'], { DATA_DIR: product.dataDir })
console.log(`
  Agentopia Toolboxes  ${product.url}
  Sign in once with    ${link.trim()}

  DigitalOcean is emulated at ${cloud.url}; its token is stored. A droplet costs nothing here.
  Ctrl-C stops everything and removes every droplet.
`)
await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
