// npm run bench:gateway: what the way of a call costs, against the server itself, a bare pipe, DTMA without the control plane, and other
// gateways. Needs `npm run build` and Docker.
import { startProduct } from '@agentopia/e2e/product'
import { compare } from './compare.ts'
import { bridgesOf, startDtma } from './dtma.ts'
import { run } from './run.ts'
import { openPeers, pipeTo, wholeWay } from './targets.ts'

await run(7, async (bench) => {
  const peers = await openPeers(bench)
  const product = await startProduct()
  bench.cleanUp(() => product[Symbol.asyncDispose]())
  const direct = await peers.direct()
  const pipe = await pipeTo(bench, direct)
  const alone = await bridgesOf(bench, await startDtma(bench))
  const whole = await wholeWay(product)
  const targets = [direct, pipe, ...alone, ...whole, ...(await peers.bridges()), await peers.hub()]
  const [overStdio, overHttp] = alone
  return compare(bench, targets, direct, {
    pipe: () => pipe,
    'DTMA alone': ({ upstream }) => (upstream === 'HTTP' ? overHttp! : overStdio!),
  })
})
