import { NetworkDetails, VolumeDetails } from './docker.types.ts'
import { absentIfNotFound, DEADLINE, type EngineCalls } from './engine.calls.ts'
import { pathOf } from './engine.http.ts'

type Labels = Readonly<Record<string, string>>

/** Networks and volumes: what a container needs beside its image. */
export function networksApi({ ask, tell }: EngineCalls) {
  const change = (what: string, method: 'POST' | 'DELETE', path: string) =>
    ({ what, method, path, deadlineMs: DEADLINE.change }) as const
  const read = (what: string, path: string) => ({ what, method: 'GET', path, deadlineMs: DEADLINE.read }) as const

  return {
    /** A bridge. @param internal Without a route to the outside. @throws {EngineError} `conflict` when the name is in use. */
    createNetwork(name: string, internal: boolean, labels: Labels, signal: AbortSignal): Promise<void> {
      const fixed = {
        Driver: 'bridge',
        CheckDuplicate: true,
        Attachable: false,
        Ingress: false,
        EnableIPv6: false,
        Options: {},
      }
      const body = { ...fixed, Name: name, Internal: internal, Labels: labels }
      return tell({ ...change('create the network', 'POST', '/networks/create'), body }, signal)
    },

    inspectNetwork(name: string, signal: AbortSignal) {
      return absentIfNotFound(ask(NetworkDetails, read('inspect the network', pathOf`/networks/${name}`), signal))
    },

    connectNetwork(name: string, containerId: string, signal: AbortSignal): Promise<void> {
      const body = { Container: containerId }
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
