// DIGITALOCEAN_API_DESCRIPTION=<file> npm run check:digitalocean: compares what our client asks, and what the emulator of the tests
// answers, with the whole of a newer description by DigitalOcean of its API (OpenAPI, JSON). The tests compare with an extract of it
// (`npm run extract:digitalocean -- <file>` makes it anew).
import { readFileSync } from 'node:fs'
import { askEverything, createBudget, createDigitalOcean } from '@agentopia/backend/testing'
import { judgeBy } from '@agentopia/testbed/description'
import { createEmulator } from '@agentopia/testbed/emulator'

const file = process.env['DIGITALOCEAN_API_DESCRIPTION']
if (!file) {
  console.error('DIGITALOCEAN_API_DESCRIPTION names no file: nothing was checked')
  process.exit(64)
}

let now = Date.UTC(2026, 0, 1)
const emulator = createEmulator({ now: () => now, knobs: { bootMs: 0, perMinute: 10_000 } })
const judge = judgeBy(JSON.parse(readFileSync(file, 'utf8')), emulator.fetch)
const { token } = emulator.world
const client = createDigitalOcean({
  baseUrl: 'http://digitalocean',
  token,
  budget: createBudget(() => now, { perMinute: 10_000 }),
  fetch: judge.fetch,
})

await askEverything(
  client,
  () => {
    now += 60_000
  },
  AbortSignal.timeout(60_000),
)

for (const [call, times] of [...judge.called].sort()) {
  const wrong = new Set(judge.complaints.filter((complaint) => complaint.call === call).map(({ what }) => what))
  console.log(`${wrong.size === 0 ? '✔' : '✖'} ${call} (${times})`)
  for (const what of wrong) console.log(`    ${what}`)
}
console.log(`${judge.called.size} operations, ${judge.complaints.length} complaints`)
process.exitCode = judge.complaints.length === 0 ? 0 : 1
