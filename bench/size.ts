// npm run bench:size: what an idle DTMA holds in memory, in its container and as a process, each against a bare HTTP server in the same
// place; and how large image and bundle are. Needs `npm run build`, Docker and DTMA's image.
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BUNDLE, IMAGE, startDtma, startDtmaContainer } from './dtma.ts'
import { create, imageBytes, inspect, remove, start } from './engine.ts'
import { residentMibOf } from './process.ts'
import { median, medianOfPairs, rounded } from './report.ts'
import { ended, type Run, run } from './run.ts'

/** Of DTMA's image, as its Dockerfile says. */
const BASE = 'node:24-slim'
/** After its start: what it does first is done, and what it needed for that was given back. */
const SETTLE_MS = 30_000
const SERVE = "require('node:http').createServer((request, response) => response.end('ok')).listen(0)"

async function bareContainer(bench: Run): Promise<number> {
  const id = await create({ Image: IMAGE, Entrypoint: ['node', '-e', SERVE], Cmd: [] })
  bench.cleanUp(() => remove(id))
  await start(id)
  return (await inspect(id)).State.Pid
}

function bareProcess(bench: Run): number {
  const child = spawn(process.execPath, ['-e', SERVE], { env: { PATH: process.env['PATH'] }, stdio: 'ignore' })
  bench.cleanUp(() => ended(child))
  return child.pid!
}

await run(7, async (bench) => {
  const pids = {
    'in its container': [(await startDtmaContainer(bench)).pid, await bareContainer(bench)],
    'as a process': [(await startDtma(bench)).pid, bareProcess(bench)],
  } as const
  await sleep(SETTLE_MS, undefined, { signal: bench.signal })
  const samples: number[][] = []
  for (let round = 0; round < bench.rounds; round += 1) {
    samples.push(Object.values(pids).flatMap((pair) => pair.map(residentMibOf)))
    await sleep(1_000, undefined, { signal: bench.signal })
  }
  const memory = Object.keys(pids).map((where, n) => {
    const [mine, bare] = [samples.map((sample) => sample[2 * n]!), samples.map((sample) => sample[2 * n + 1]!)]
    return {
      'Idle DTMA': where,
      'RSS MiB': rounded(median(mine), 1),
      'bare server MiB': rounded(median(bare), 1),
      ratio: rounded(
        medianOfPairs(mine, bare, (a, b) => a / b),
        2,
      ),
    }
  })
  const [image, base, bundle] = [await imageBytes(IMAGE), await imageBytes(BASE), statSync(BUNDLE).size]
  const megabytes = (bytes: number) => rounded(bytes / 1e6, 1)
  return [
    { title: `Resident memory, ${SETTLE_MS / 1_000} s after the start, medians of ${bench.rounds}`, rows: memory },
    {
      title: 'Sizes in MB (10^6 bytes)',
      rows: [
        {
          'image of DTMA': megabytes(image),
          [`its base, ${BASE}`]: megabytes(base),
          'more than its base': megabytes(image - base),
          bundle: megabytes(bundle),
        },
      ],
    },
  ]
})
