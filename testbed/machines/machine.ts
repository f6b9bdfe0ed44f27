import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Everything but the right to set the clock of this machine, and one that not every machine has to give. */
const CAPABILITIES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ'

export type MachineImage =
  | `agentopia-testbed:${'debian-12' | 'docker' | 'ubuntu-22.04' | 'ubuntu-24.04'}`
  | `agentopia-testbed-snapshot:${string}`

export interface MachineOptions {
  readonly name: string
  /** Absent: the name. */
  readonly hostname?: string
  readonly image: MachineImage
  readonly network: string
  /** IPv4 in the network; absent: Docker chooses. */
  readonly address?: string
  readonly memoryMb: number
  readonly env?: Readonly<Record<string, string>>
  /** Carried by the container, so that what a bed left behind is found. */
  readonly label: string
}

/** `docker …`. @throws {Error} With what Docker said. */
export async function docker(args: readonly string[], input?: string): Promise<string> {
  const running = execute('docker', args, { maxBuffer: 64 * 1_048_576 })
  if (input !== undefined) running.child.stdin?.end(input)
  const { stdout } = await running
  return stdout.trim()
}

/** A server with systemd, and with a Docker of its own, in a container: made and started; its boot goes on. */
export async function startMachine(options: MachineOptions): Promise<void> {
  const { name, hostname = name, image, network, address, memoryMb, env = {}, label } = options
  await docker([
    ...['create', '--name', name, '--hostname', hostname, '--label', label, '--network', network],
    ...(address === undefined ? [] : ['--ip', address]),
    ...CAPABILITIES.split(' ').flatMap((capability) => ['--cap-add', capability]),
    ...['seccomp', 'apparmor', 'systempaths'].flatMap((guard) => ['--security-opt', `${guard}=unconfined`]),
    ...['--device-cgroup-rule', 'a *:* rwm', '--cgroupns=private'],
    ...['/run:exec', '/run/lock', '/tmp:exec'].flatMap((mount) => ['--tmpfs', mount]),
    ...['--memory', `${memoryMb}m`, '--memory-swap', `${memoryMb}m`],
    ...Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
    image,
  ])
  await docker(['start', name])
}

/** Runs a command on the machine. @returns what it printed. @throws {Error} When it failed. */
export const onMachine = (name: string, command: readonly string[], input?: string): Promise<string> =>
  docker(['exec', ...(input === undefined ? [] : ['-i']), name, ...command], input)

/** Waits until systemd has started everything, or has given up on a part of it. */
export async function untilBooted(name: string, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs
  while (Date.now() < deadline) {
    const state = await onMachine(name, ['systemctl', 'is-system-running']).catch(
      (error: { stdout?: string }) => error.stdout ?? '',
    )
    if (/running|degraded/.test(state)) return
    await sleep(200)
  }
  throw new Error(`${name} did not boot within ${deadlineMs} ms`)
}

/** With its disk. Succeeds when there is none. */
export const removeMachine = (name: string): Promise<string> => docker(['rm', '--force', '--volumes', name])

/** This machine, as containers on Docker's own bridge reach it. */
export async function bridgeAddress(): Promise<string> {
  const gateway = await docker([
    'network',
    'inspect',
    'bridge',
    '--format',
    '{{range .IPAM.Config}}{{.Gateway}}{{end}}',
  ])
  return gateway || '172.17.0.1'
}

const BUILD_IMAGES = fileURLToPath(new URL('../images/build.sh', import.meta.url))

/** The images of machines, from the base image of the product; nothing is done again when they are there. */
export async function buildMachineImages(): Promise<void> {
  await execute('bash', [BUILD_IMAGES], { timeout: 600_000 })
}
