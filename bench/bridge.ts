// npm run bench:bridge: calls by DTMA's MCP bridge, against the server's own HTTP, the least that a bridge can cost, and bridges of
// others. Needs `npm run build` and Docker.
import { compare } from './compare.ts'
import { bridgesOf, startDtma } from './dtma.ts'
import { run } from './run.ts'
import { openPeers } from './targets.ts'

await run(7, async (bench) => {
  const peers = await openPeers(bench)
  const dtma = await startDtma(bench)
  const direct = await peers.direct()
  const pipe = await peers.stdioPipe()
  const targets = [direct, pipe, ...(await bridgesOf(bench, dtma)), ...(await peers.bridges())]
  return compare(bench, targets, direct, { 'stdio pipe': () => pipe })
})
