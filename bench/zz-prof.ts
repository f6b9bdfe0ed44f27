import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { load, openWire } from './load.ts'
import { bridgesOf, startDtma } from './dtma.ts'
import { run } from './run.ts'

const cpuUs = (pid: string): number => {
  let sum = 0
  try {
    for (const t of readdirSync(`/proc/${pid}/task`)) sum += Number(readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8').split(' ')[0])
  } catch {}
  return sum / 1000
}
const nameOf = (pid: string, dtma: number): string => {
  const cmd = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  const comm = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  if (Number(pid) === dtma) return 'DTMA'
  if (Number(pid) === process.pid) return 'client'
  const all = cmd.join(' ')
  if (all.includes('runGateway')) return 'gateway'
  if (all.includes('streamableHttp')) return 'tool http'
  if (all.includes('server-everything') ) return 'tool stdio'
  if (comm.startsWith('containerd-shim')) return 'shims'
  if (comm === 'dockerd' || comm === 'containerd') return comm
  if (cmd[0] === '') return 'kernel threads'
  return 'others'
}
const snap = (dtma: number) => {
  const found = new Map<string, number>()
  for (const pid of readdirSync('/proc').filter((p) => /^\d+$/.test(p))) {
    try { const n = nameOf(pid, dtma); found.set(n, (found.get(n) ?? 0) + cpuUs(pid)) } catch {}
  }
  return found
}
await run(3, async (bench) => {
  const dtma = await startDtma(bench)
  const targets = await bridgesOf(bench, dtma)
  const rows: Record<string, unknown>[] = []
  for (const target of targets) {
    const wires = await Promise.all(Array.from({ length: 64 }, () => openWire(target.endpoint)))
    bench.cleanUp(() => wires.forEach((w) => w.close()))
    for (const n of [1, 16, 64]) {
      if (process.env['ONLY'] && !process.env['ONLY'].split(',').includes(`${target.upstream}${n}`)) continue
      await load(wires.slice(0, n), target.endpoint.echo, 1500)
      const found: Record<string, number>[] = []
      for (let r = 0; r < bench.rounds; r++) {
        const before = snap(dtma.pid)
        const w = await load(wires.slice(0, n), target.endpoint.echo, 2000)
        const after = snap(dtma.pid)
        const row: Record<string, number> = { rate: Math.round(w.calls / w.seconds), p50: w.latencies[w.latencies.length >> 1]! }
        for (const [k, v] of after) row[k] = Math.round((v - (before.get(k) ?? 0)) / w.calls)
        found.push(row)
      }
      found.sort((a, b) => a['rate']! - b['rate']!)
      const row = found[found.length >> 1]!
      rows.push({ t: target.upstream + n, ...row, p50: Math.round(row['p50']! * 100) / 100 })
      console.error(JSON.stringify(rows.at(-1)))
    }
  }
  return []
})
