import type { Guard } from './firewalls.ts'
import type { EmulatedDroplet } from './world.ts'

/** What a droplet is made of. */
export interface Machines {
  /** Droplets are records alone: they are up when their time has come. */
  readonly instant: boolean
  /** IPv4 address of a new droplet. */
  addressOf(droplet: { readonly id: number }): string
  /** Resolves when the machine is powered on. */
  start(droplet: EmulatedDroplet): Promise<void>
  remove(droplet: EmulatedDroplet): Promise<void>
  power(droplet: EmulatedDroplet, what: 'on' | 'off' | 'reboot'): Promise<void>
  /** Of a machine that is off. */
  resize(droplet: EmulatedDroplet, size: string): Promise<void>
  /** Copies the disk, under the number of a snapshot. */
  snapshot(droplet: EmulatedDroplet, snapshotId: string): Promise<void>
  forgetSnapshot(snapshotId: string): Promise<void>
  /** What comes in from now on to droplets for which a firewall holds; to others everything does. */
  guard(guards: readonly Guard[]): Promise<void>
}

/** Droplets that are only records. Addresses are of the range for documentation. */
export const noMachines: Machines = {
  instant: true,
  addressOf: ({ id }) => `203.0.113.${1 + (id % 254)}`,
  start: async () => {},
  remove: async () => {},
  power: async () => {},
  resize: async () => {},
  snapshot: async () => {},
  forgetSnapshot: async () => {},
  guard: async () => {},
}
