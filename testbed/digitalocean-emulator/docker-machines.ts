import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { docker, type MachineImage, removeMachine, startMachine } from '../machines/machine.ts'
import { SIZES } from './catalogue.ts'
import type { Machines } from './machines.ts'

const execute = promisify(execFile)

const NETWORK = 'agentopia-testbed'
const BRIDGE = 'br-agentopia'
const SUBNET = '10.91.0.0/16'
const LABEL = 'agentopia-testbed=droplet'
/** This machine, as droplets see it. */
export const GATEWAY = '10.91.0.1'
/** Where the metadata service listens; droplets ask 169.254.169.254:80. */
export const METADATA_PORT = 8_169

const METADATA_RULE = [
  ...['PREROUTING', '-i', BRIDGE, '-d', '169.254.169.254', '-p', 'tcp', '--dport', '80'],
  ...['-j', 'DNAT', '--to-destination', `${GATEWAY}:${METADATA_PORT}`],
]
const nat = (action: '-C' | '-I' | '-D') => execute('iptables', ['-w', '-t', 'nat', action, ...METADATA_RULE])

const IMAGES: Readonly<Record<string, MachineImage>> = {
  'debian-12-x64': 'agentopia-testbed:debian-12',
  'ubuntu-24-04-x64': 'agentopia-testbed:debian-12',
  'docker-20-04': 'agentopia-testbed:docker',
}

/** `agentopia-testbed:…`, or the copy of a disk. */
const machineImageOf = (image: string): MachineImage => IMAGES[image] ?? `agentopia-testbed-snapshot:${image}`

const memoryOf = (size: string): number => SIZES.find(({ slug }) => slug === size)!.memory

const containerOf = (dropletId: number): string => `agentopia-droplet-${dropletId}`

/** Droplets that are containers with systemd, cloud-init and a Docker of their own, on a network of their own. */
export async function openDockerMachines(): Promise<Machines & { close(): Promise<void> }> {
  await docker(['network', 'inspect', NETWORK]).catch(() =>
    docker([
      ...['network', 'create', '--subnet', SUBNET, '--gateway', GATEWAY],
      ...['-o', `com.docker.network.bridge.name=${BRIDGE}`, NETWORK],
    ]),
  )
  await nat('-C').catch(() => nat('-I'))
  const resolver = /^nameserver (\S+)/m.exec(await readFile('/etc/resolv.conf', 'utf8'))?.[1]
  const made = new Set<number>()
  const copies = new Set<string>()

  return {
    instant: false,
    addressOf: ({ id }) => `10.91.${1 + ((id >> 8) % 250)}.${id % 256}`,
    async start({ id, name, size, image, address }) {
      made.add(id)
      await removeMachine(containerOf(id))
      await startMachine({
        name: containerOf(id),
        hostname: name,
        image: machineImageOf(image),
        network: NETWORK,
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
    async close() {
      for (const id of made) await removeMachine(containerOf(id))
      for (const id of copies) await docker(['rmi', '--force', machineImageOf(id)])
      await nat('-D')
      await docker(['network', 'rm', NETWORK])
    },
  }
}
