// An emulated DigitalOcean on 127.0.0.1:8100 (or PORT), whose droplets are containers. Ctrl-C removes them.
import { openCloud } from './serve.ts'

const cloud = await openCloud(Number(process.env['PORT'] ?? 8_100))
console.log(
  `DigitalOcean's API, emulated: ${cloud.url}\nToken: ${cloud.emulator.world.token}\nDroplets reach this machine at ${cloud.gateway}`,
)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void cloud.close().then(() => process.exit(0))
  })
