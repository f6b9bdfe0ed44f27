import * as z from 'zod/mini'
import { NetworkDetails, VolumeDetails } from './docker.types.ts'
import { absentIfNotFound, DEADLINE, type EngineCalls } from './engine.calls.ts'
import { pathOf } from './engine.http.ts'

type Labels = Readonly<Record<string, string>>

const NO_ADDRESS = 'com.docker.network.bridge.inhibit_ipv4'

/** Whether this network was made as isolated, by this version of DTMA or another. */
export const isIsolated = ({ Internal, Options }: NetworkDetails): boolean => Internal && Options[NO_ADDRESS] === 'true'

/** Networks and volumes: what a container needs beside its image. */
export function networksApi({ ask, tell }: EngineCalls) {
  const change = (what: string, method: 'POST' | 'DELETE', path: string) =>
    ({ what, method, path, deadlineMs: DEADLINE.change }) as const
  const read = (what: string, path: string) => ({ what, method: 'GET', path, deadlineMs: DEADLINE.read }) as const

  return {
    /**
     * A bridge whose containers reach each other and nothing else, the machine included, since the bridge has no address.
     * @throws {EngineError} `conflict` when the name is in use.
     */
    createIsolatedNetwork(name: string, labels: Labels, signal: AbortSignal): Promise<void> {
      const fixed = { Driver: 'bridge', CheckDuplicate: true, Attachable: false, Ingress: false, EnableIPv6: false }
      const body = { ...fixed, Name: name, Internal: true, Options: { [NO_ADDRESS]: 'true' }, Labels: labels }
      return tell({ ...change('create the network', 'POST', '/networks/create'), body }, signal)
    },

    /** @param label `key` or `key=value`. */
    listNetworks(label: string, signal: AbortSignal) {
      const query = { filters: JSON.stringify({ label: [label] }) }
      return ask(z.array(NetworkDetails), { ...read('list networks', '/networks'), query }, signal)
    },

    inspectNetwork(name: string, signal: AbortSignal) {
      return absentIfNotFound(ask(NetworkDetails, read('inspect the network', pathOf`/networks/${name}`), signal))
    },

    /** @param aliases Names by which the others on this network find it. */
    connectNetwork(name: string, containerId: string, aliases: readonly string[], signal: AbortSignal): Promise<void> {
      const body = { Container: containerId, EndpointConfig: { Aliases: aliases } }
      return tell({ ...change('join the network', 'POST', pathOf`/networks/${name}/connect`), body }, signal)
    },

    async disconnectNetwork(name: string, containerId: string, signal: AbortSignal): Promise<void> {
      const body = { Container: containerId, Force: true }
      const call = { ...change('leave the network', 'POST', pathOf`/networks/${name}/disconnect`), body }
      await absentIfNotFound(tell(call, signal))
    },

    async removeNetwork(name: string, signal: AbortSignal): Promise<void> {
      await absentIfNotFound(tell(change('remove the network', 'DELETE', pathOf`/networks/${name}`), signal))
    },

    /** Leaves a volume of this name as it is. */
    createVolume(name: string, labels: Labels, signal: AbortSignal): Promise<void> {
      const body = { Name: name, Driver: 'local', DriverOpts: {}, Labels: labels }
      return tell({ ...change('create the volume', 'POST', '/volumes/create'), body }, signal)
    },

    inspectVolume(name: string, signal: AbortSignal) {
      return absentIfNotFound(ask(VolumeDetails, read('inspect the volume', pathOf`/volumes/${name}`), signal))
    },

    /** @throws {EngineError} `conflict` when a container uses it. */
    async removeVolume(name: string, signal: AbortSignal): Promise<void> {
      await absentIfNotFound(tell(change('remove the volume', 'DELETE', pathOf`/volumes/${name}`), signal))
    },
  }
}
