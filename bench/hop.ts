// npm run bench:hop: what the control plane alone adds to a call, against a bare pipe, where the tool costs nothing (hollow-tool.ts): it
// authenticates, authorises and records the call, and sends it through a tunnel. Needs `npm run build`.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type Product, startProduct } from '@agentopia/e2e/product'
import { compare } from './compare.ts'
import type { Hollow } from './hollow-tool.ts'
import type { Member } from './member.ts'
import { allActive, invited } from './recruits.ts'
import { ended, type Run, run } from './run.ts'
import { agentOf, pipeTo, type Target } from './targets.ts'

/** Starts the toolbox of this member. @returns Its tool without a control plane. */
async function startHollow(bench: Run, product: Product, member: Member): Promise<Target> {
  const directory = mkdtempSync(join(tmpdir(), 'agentopia-hollow-'))
  bench.cleanUp(() => rmSync(directory, { recursive: true, force: true }))
  const port = await freePort()
  const child = fork(fileURLToPath(new URL('./hollow-tool.ts', import.meta.url)), { stdio: 'inherit' })
  bench.cleanUp(() => ended(child, 'SIGKILL'))
  child.send({ quarters: { directory, baseUrl: product.url, speed: 1 }, member, port } satisfies Hollow)
  await allActive(product, 1, bench.signal)
  return {
    name: 'the server itself',
    upstream: 'none',
    endpoint: { url: `http://127.0.0.1:${port}/mcp`, echo: 'echo' },
    hop: {},
  }
}

await run(7, async (bench) => {
  const product = await startProduct({ LOCAL_TOOLBOX: 'off' })
  bench.cleanUp(() => product[Symbol.asyncDispose]())
  const [member] = await invited(product, 1, bench.signal)
  const direct = await startHollow(bench, product, member!)
  const pipe = await pipeTo(bench, direct)
  const agent = await agentOf(product, member!.toolboxId, { hollow: 'everything' })
  const hop: Target = {
    name: 'control plane',
    upstream: 'HTTP',
    endpoint: { ...agent, echo: 'hollow__echo' },
    hop: { 'control plane': product.pid },
  }
  return compare(bench, [direct, pipe, hop], direct, { pipe: () => pipe })
})
