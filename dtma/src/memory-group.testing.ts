import { existsSync } from 'node:fs'
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Processes and containers that share the memory of one simulated machine: a control group of the kernel's. Needs root. */
export interface MemoryGroup {
  /** For containers: where their own groups go. */
  readonly parent: string
  adopt(pid: number): Promise<void>
  limit(mib: number): Promise<void>
  /** Once nothing runs in it. */
  remove(): Promise<void>
}

const ROOT = '/sys/fs/cgroup'

/** In both versions of control groups; in the second, processes are not where other groups are. */
export async function memoryGroup(name: string): Promise<MemoryGroup> {
  const isUnified = existsSync(join(ROOT, 'cgroup.controllers'))
  const group = join(ROOT, isUnified ? '' : 'memory', name)
  const processes = isUnified ? join(group, 'processes') : group
  await mkdir(processes, { recursive: true })
  if (isUnified) await writeFile(join(group, 'cgroup.subtree_control'), '+memory +cpu +pids')
  return {
    parent: `/${name}`,
    adopt: (pid) => writeFile(join(processes, 'cgroup.procs'), `${pid}`),
    limit: (mib) => writeFile(join(group, isUnified ? 'memory.max' : 'memory.limit_in_bytes'), `${mib}M`),
    async remove() {
      // What lost its power has left the groups of its containers; a process that was killed is in its own for a moment.
      for (const entry of await readdir(group, { withFileTypes: true }))
        if (entry.isDirectory()) await rmdirSoon(join(group, entry.name))
      await rmdirSoon(group)
    },
  }
}

async function rmdirSoon(path: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await rmdir(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries === 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
