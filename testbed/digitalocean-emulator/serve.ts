import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApiServer } from './api-server.ts'
import { METADATA_PORT, openDockerMachines } from './docker-machines.ts'
import { createEmulator, type Emulator } from './emulator.ts'
import { createMetadataService } from './metadata.ts'

/** An emulated DigitalOcean on this machine whose droplets boot. */
export interface Cloud {
  readonly emulator: Emulator
  /** Origin of the API. */
  readonly url: string
  /** This machine, as droplets reach it. */
  readonly gateway: string
  /** Docker's network in which droplets are. */
  readonly network: string
  /** Removes every droplet that was made, and the network. */
  close(): Promise<void>
}

/** Numbers of droplets and copies of one bed; those of the next one begin after them. */
const NUMBERS = 1_000

/** @param port Of the API, on loopback; 0 picks a free one. @param bed Several beds may stand on one machine, each with another number. */
export async function openCloud({ port = 0, bed = 0 } = {}): Promise<Cloud> {
  const machines = await openDockerMachines(bed)
  const emulator = createEmulator({ machines, knobs: { bootMs: 0 } })
  emulator.world.nextDropletId += bed * NUMBERS
  emulator.world.nextId += bed * NUMBERS
  const metadata = createMetadataService(emulator.world)
  const api = createApiServer(emulator)
  await listen(metadata, METADATA_PORT, machines.gateway)
  await listen(api, port, '127.0.0.1')
  return {
    emulator,
    url: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    gateway: machines.gateway,
    network: machines.network,
    async close() {
      for (const server of [api, metadata]) {
        server.closeAllConnections()
        server.close()
      }
      await machines.close()
    },
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
}
