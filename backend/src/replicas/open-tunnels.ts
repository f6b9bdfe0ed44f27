import { createTunnels, type Tunnels, type TunnelsDeps } from '../uplink/tunnel/tunnels.ts'
import { joinReplicas, type ReplicasDeps } from './replicas.ts'

export interface OpenTunnelsDeps extends Omit<ReplicasDeps, 'own' | 'tunnels' | 'signal'> {
  /** Identifier of this process. */
  readonly owner: string
  /** Where other control planes on this database reach this one, `host:port`; absent: it is the only one. */
  readonly address: string | undefined
  readonly beatsOf: TunnelsDeps['beatsOf']
  /** Called after a tunnel of this process opened or closed. */
  readonly onChange: (toolboxId: string) => void
}

/** The tunnels, for whoever lets DTMAs in and for whoever speaks to them. */
export interface OpenTunnels {
  /** Those that end in this process. */
  readonly own: Tunnels
  /** Those of all control planes. */
  readonly all: Tunnels
  readonly stopped: Promise<void>
}

export async function openTunnels({ owner, address, onChange, ...deps }: OpenTunnelsDeps): Promise<OpenTunnels> {
  if (address === undefined) {
    const only = createTunnels({ ...deps, onChange })
    return { own: only, all: only, stopped: Promise.resolve() }
  }
  const own = createTunnels({
    ...deps,
    onChange(toolboxId) {
      replicas.note(toolboxId)
      onChange(toolboxId)
    },
  })
  const replicas = await joinReplicas({ ...deps, own: { id: owner, address }, tunnels: own })
  return { own, all: replicas.tunnels, stopped: replicas.stopped }
}
