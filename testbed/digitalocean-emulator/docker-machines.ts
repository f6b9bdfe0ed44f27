import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { docker, type MachineImage, removeMachine, startMachine } from '../machines/machine.ts'
import { SIZES } from './catalogue.ts'
import { openDockerGuards } from './docker-guards.ts'
import type { Machines } from './machines.ts'

const execute = promisify(execFile)

const LABEL = 'agentopia-testbed=droplet'
/** Where the metadata service listens; droplets ask 169.254.169.254:80. */
export const METADATA_PORT = 8_169

/** A network of its own for each bed, so that several may stand on one machine. @param bed 0 to 60. */
function networkOf(bed: number) {
  const suffix = bed === 0 ? '' : `-${bed}`
  const prefix = `10.${91 + bed}`
  return {
    name: `agentopia-testbed${suffix}`,
    bridge: `br-agentopia${suffix}`,
    prefix,
    subnet: `${prefix}.0.0/16`,
    /** This machine, as droplets see it. */
    gateway: `${prefix}.0.1`,
    /** Of iptables. */
    chain: `AGENTOPIA-TESTBED${suffix}`,
  }
}

/** Machines for one bed. */
export interface DockerMachines extends Machines {
  /** This machine, as droplets see it. */
  readonly gateway: string
  /** Docker's network in which they are. */
  readonly network: string
  close(): Promise<void>
}

/** What runs in the place of each image. */
export const PLAYED_BY: Readonly<Record<string, MachineImage>> = {
  'debian-12-x64': 'agentopia-testbed:debian-12',
  'ubuntu-24-04-x64': 'agentopia-testbed:debian-12',
  'docker-20-04': 'agentopia-testbed:docker',
}

/** `agentopia-testbed:…`, or the copy of a disk. */
const machineImageOf = (image: string): MachineImage => PLAYED_BY[image] ?? `agentopia-testbed-snapshot:${image}`

const memoryOf = (size: string): number => SIZES.find(({ slug }) => slug === size)!.memory

const containerOf = (dropletId: number): string => `agentopia-droplet-${dropletId}`

/** Droplets that are containers with systemd, cloud-init and a Docker of their own, on a network of their own. */
export async function openDockerMachines(bed: number): Promise<DockerMachines> {
  const { name: network, bridge, prefix, subnet, gateway, chain } = networkOf(bed)
  const nat = (action: '-C' | '-I' | '-D') =>
    execute('iptables', [
      ...['-w', '-t', 'nat', action, 'PREROUTING', '-i', bridge, '-d', '169.254.169.254', '-p', 'tcp', '--dport', '80'],
      ...['-j', 'DNAT', '--to-destination', `${gateway}:${METADATA_PORT}`],
    ])
  await docker(['network', 'inspect', network]).catch(() =>
    docker([
      ...['network', 'create', '--subnet', subnet, '--gateway', gateway],
      ...['-o', `com.docker.network.bridge.name=${bridge}`, network],
    ]),
  )
  await nat('-C').catch(() => nat('-I'))
  const guards = await openDockerGuards(bridge, chain)
  const resolver = /^nameserver (\S+)/m.exec(await readFile('/etc/resolv.conf', 'utf8'))?.[1]
  const made = new Set<number>()
  const copies = new Set<string>()

  return {
    gateway,
    network,
    instant: false,
    addressOf: ({ id }) => `${prefix}.${1 + ((id >> 8) % 250)}.${id % 256}`,
    async start({ id, name, size, image, address }) {
      made.add(id)
      await removeMachine(containerOf(id))
      await startMachine({
        name: containerOf(id),
        hostname: name,
        image: machineImageOf(image),
        network,
        address,
        memoryMb: memoryOf(size),
        label: LABEL,
        env: { DROPLET_ID: String(id), ...(resolver ? { TESTBED_DNS: resolver } : {}) },
      })
    },
    async remove({ id }) {
      await removeMachine(containerOf(id))
      made.delete(id)
    },
    async power({ id }, what) {
      if (what === 'on') await docker(['start', containerOf(id)])
      else await docker([what === 'off' ? 'stop' : 'restart', '--time', '30', containerOf(id)])
    },
    async resize({ id }, size) {
      const memory = `${memoryOf(size)}m`
      await docker(['update', '--memory', memory, '--memory-swap', memory, containerOf(id)])
    },
    async snapshot({ id }, snapshotId) {
      await docker(['commit', containerOf(id), machineImageOf(snapshotId)])
      copies.add(snapshotId)
    },
    async forgetSnapshot(snapshotId) {
      await docker(['rmi', machineImageOf(snapshotId)])
      copies.delete(snapshotId)
    },
    guard: guards.guard,
    async close() {
      for (const id of made) await removeMachine(containerOf(id))
      for (const id of copies) await docker(['rmi', '--force', machineImageOf(id)])
      await nat('-D')
      await guards.close()
      await docker(['network', 'rm', network])
    },
  }
}
