import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, openSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createDockerApi, type DockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { memoryGroup } from './memory-group.testing.ts'

/** A Docker of the test's own, as on a droplet: own disk, own network namespace, own socket. Needs root. */
export interface PrivateDocker {
  readonly socketPath: string
  /** A file system of its own, small enough to be filled. */
  readonly disk: string
  readonly docker: DockerApi
  start(options: { readonly liveRestore: boolean }): Promise<void>
  /** As a crash does; the containers stay as they are. */
  kill(): Promise<void>
  /** It accepts connections and never answers. */
  freeze(): void
  thaw(): void
  /** Runs a program of the machine's network, such as iptables. */
  inside(command: string, args: readonly string[]): Promise<unknown>
  /** Makes this process one of the machine's, and so one of those that its memory is shared among. */
  adopt(pid: number): Promise<void>
  /** Of all its processes and containers together, from now on. */
  limitMemory(mib: number): Promise<void>
  /** Kills everything at once: containerd and the tools as well. */
  powerOff(): Promise<void>
  close(): Promise<void>
}

const run = promisify(execFile)
const never = new AbortController().signal
const DISK_MIB = 3_000
/** Enough for a few images, and few enough to be used up. */
const DISK_INODES = 60_000

export async function privateDocker(): Promise<PrivateDocker> {
  const home = await mkdtemp('/var/tmp/dtma-docker-')
  const disk = join(home, 'disk')
  const netns = `dtma${process.pid}`
  const memory = await memoryGroup(netns)
  const socketPath = join(home, 'docker.sock')
  const docker = createDockerApi(createEngineHttp(socketPath))
  let containerd: ChildProcess | undefined
  let dockerd: ChildProcess | undefined

  await mkdir(disk)
  await run('truncate', ['-s', `${DISK_MIB}M`, join(home, 'disk.img')])
  await run('mkfs.ext4', ['-q', '-m', '0', '-N', `${DISK_INODES}`, join(home, 'disk.img')])
  await run('mount', ['-o', 'loop', join(home, 'disk.img'), disk])
  await run('ip', ['netns', 'add', netns])
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up'])
  const toml = `version = 2\nroot = "${disk}/containerd"\nstate = "${home}/run"\n[grpc]\n  address = "${home}/containerd.sock"\n`
  await writeFile(join(home, 'containerd.toml'), `${toml}[plugins."io.containerd.grpc.v1.cri"]\n`)

  const log = openSync(join(home, 'log'), 'a')
  async function daemon(command: string, args: readonly string[]): Promise<ChildProcess> {
    const child = spawn(command, args, { stdio: ['ignore', log, log] })
    await memory.adopt(child.pid!)
    return child
  }

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (await isSo().catch(() => false)) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error(`${what} does not come up: ${(await readFile(join(home, 'log'), 'utf8')).slice(-2_000)}`)
  }

  async function end(process: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
    if (!process || process.exitCode !== null || process.signalCode !== null) return
    const ended = once(process, 'exit')
    process.kill(signal)
    await ended
  }

  /** The processes of containers live under shims, which carry the name of our directory. */
  async function killShims(): Promise<void> {
    const { stdout } = await run('ps', ['-eo', 'pid,args'])
    for (const line of stdout.split('\n')) {
      const [, pid] = /^ *(\d+) .*containerd-shim/.exec(line) ?? []
      if (pid === undefined || !line.includes(home)) continue
      const { stdout: children } = await run('ps', ['-o', 'pid=', '--ppid', pid]).catch(() => ({ stdout: '' }))
      for (const id of [pid, ...children.split('\n').map((child) => child.trim())])
        if (id !== '') await run('kill', ['-9', id]).catch(() => undefined) // gone already
    }
  }

  return {
    socketPath,
    disk,
    docker,
    async start({ liveRestore }) {
      if (containerd?.exitCode !== null || containerd.signalCode !== null) {
        containerd = await daemon('containerd', ['-c', join(home, 'containerd.toml')])
      }
      await rm(join(home, 'pid'), { force: true })
      const flags = ['--containerd', join(home, 'containerd.sock'), '--data-root', join(disk, 'docker')]
      const more = ['--exec-root', join(home, 'exec'), '--pidfile', join(home, 'pid'), '-H', `unix://${socketPath}`]
      const group = ['--exec-opt', 'native.cgroupdriver=cgroupfs', '--cgroup-parent', memory.parent]
      const six = ['--ipv6', '--fixed-cidr-v6', 'fd00:d0c::/64']
      const bridge = ['--bip', '172.31.7.1/24', ...six, ...group, ...(liveRestore ? ['--live-restore'] : [])]
      dockerd = await daemon('nsenter', [`--net=/run/netns/${netns}`, 'dockerd', ...flags, ...more, ...bridge])
      await until('dockerd', async () => (await docker.version(never)).Version !== '')
    },
    kill: () => end(dockerd, 'SIGKILL'),
    freeze: () => void dockerd?.kill('SIGSTOP'),
    thaw: () => void dockerd?.kill('SIGCONT'),
    inside: (command, args) => run('nsenter', [`--net=/run/netns/${netns}`, command, ...args]),
    adopt: memory.adopt,
    limitMemory: memory.limit,
    async powerOff() {
      await end(dockerd, 'SIGKILL')
      await end(containerd, 'SIGKILL')
      await killShims()
    },
    async close() {
      await end(dockerd, 'SIGTERM')
      await end(containerd, 'SIGTERM')
      await killShims()
      await run('ip', ['netns', 'delete', netns])
      await memory.remove()
      const { stdout } = await run('awk', ['{print $2}', '/proc/mounts'])
      const mounts = stdout.split('\n').filter((path) => path.startsWith(home))
      for (const path of mounts.reverse()) await run('umount', ['-l', path])
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** Copies images from one engine to another, by a file. */
export async function copyImages(from: string, to: string, names: readonly string[], file: string): Promise<void> {
  const deadlineMs = 120_000
  const save = {
    what: 'save',
    method: 'GET',
    path: `/images/get?${names.map((name) => `names=${encodeURIComponent(name)}`).join('&')}`,
  } as const
  await pipeline(await createEngineHttp(from).stream({ ...save, deadlineMs }, never), createWriteStream(file))
  const load = { what: 'load', method: 'POST', path: '/images/load', body: createReadStream(file) } as const
  for await (const _ of await createEngineHttp(to).stream({ ...load, deadlineMs }, never));
  await rm(file)
}
