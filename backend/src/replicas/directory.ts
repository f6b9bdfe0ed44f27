import type { HeldTunnel, Replica } from './replica.store.ts'
import type { ReplicaNews } from './replica-news.ts'

/** Where the tunnel of a toolbox is, at another replica. */
export interface Holder extends Replica {
  readonly since: Date
}

/** What this process knows of the others: who is there, and what each holds. */
export interface Directory {
  holderOf(toolboxId: string): Holder | undefined
  /** Takes over what one of the others says. */
  hear(news: ReplicaNews): void
  /** From now on these are there, and nobody else. @returns Whether one of them was not known: what it holds must be read. */
  setLive(replicas: readonly Replica[]): boolean
  /** Everything that is held, as it is on record. */
  setHeld(tunnels: readonly HeldTunnel[]): void
}

/** @param ownId What this process says of itself is no news. */
export function createDirectory(ownId: string): Directory {
  let live = new Map<string, Replica>()
  let held = new Map<string, { readonly replicaId: string; readonly since: Date }>()

  function drop(toolboxId: string, replicaId: string): void {
    if (held.get(toolboxId)?.replicaId === replicaId) held.delete(toolboxId)
  }

  return {
    holderOf(toolboxId) {
      const found = held.get(toolboxId)
      const replica = found && live.get(found.replicaId)
      return replica && { ...replica, since: found.since }
    },
    hear({ replicaId, address, opened, closed, left }) {
      if (left) live.delete(replicaId)
      else if (replicaId !== ownId) live.set(replicaId, { id: replicaId, address })
      for (const [toolboxId, since] of opened) {
        if (replicaId === ownId) held.delete(toolboxId)
        else held.set(toolboxId, { replicaId, since: new Date(since) })
      }
      for (const toolboxId of closed) drop(toolboxId, replicaId)
    },
    setLive(replicas) {
      const before = live
      live = new Map(replicas.filter(({ id }) => id !== ownId).map((replica) => [replica.id, replica]))
      for (const [toolboxId, { replicaId }] of held) if (!live.has(replicaId)) held.delete(toolboxId)
      return [...live.keys()].some((id) => !before.has(id))
    },
    setHeld(tunnels) {
      held = new Map(
        tunnels
          .filter(({ replicaId }) => replicaId !== ownId)
          .map(({ toolboxId, ...one }) => [toolboxId, one] as const),
      )
    },
  }
}
