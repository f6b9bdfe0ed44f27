import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { createDialledSessions } from '../uplink/dialled-sessions.ts'
import type { Tunnels } from '../uplink/tunnel/tunnels.ts'
import { createDirectory } from './directory.ts'
import { leave, listHeldTunnels, liveReplicas, type Replica, seen, storeTunnels } from './replica.store.ts'
import { openReplicaDoor } from './replica-door.ts'
import { CHANNEL, parseNews, type ReplicaNews } from './replica-news.ts'
import { dialReplica } from './replica-tls.ts'
import { createSharedTunnels } from './shared-tunnels.ts'

export interface ReplicasDeps {
  readonly store: Store
  readonly rootKey: Uint8Array
  readonly own: Replica
  /** Those of this process. */
  readonly tunnels: Tunnels
  readonly clock: Clock
  readonly log: Log
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
}

/** This process as one of several control planes on one database, which use each other's tunnels. */
export interface Replicas {
  /** The tunnels of all of them. When they are all closed, this replica leaves. */
  readonly tunnels: Tunnels
  /** The tunnel of this toolbox was opened or closed here. */
  note(toolboxId: string): void
  readonly stopped: Promise<void>
}

/** Four of these are missed before a replica is given up. */
const SEEN_EVERY_MS = 5_000
/** Every so many looks all that is held is read anew, whatever was heard. */
const READ_ANYWAY = 12
/** One message of PostgreSQL holds 8,000 bytes; of a toolbox it tells some sixty. */
const MOST_TOLD = 100

/** Resolves when this replica is known to the others, and knows them. @throws {StartError} When it cannot listen. */
export async function joinReplicas(deps: ReplicasDeps): Promise<Replicas> {
  const { store, rootKey, own, tunnels, clock, log, random } = deps
  const leaving = new AbortController()
  const { signal } = leaving
  const directory = createDirectory(own.id)
  const lines = createDialledSessions<string>({
    name: 'line to a replica',
    keyOf: (address) => address,
    dial: (address, gone) => dialReplica(address, rootKey, gone),
    log,
    clock,
    onChange: () => {},
  })
  /** Toolboxes of which there is something to tell. */
  const toTell = new Set<string>()
  const revoked = new Set<string>()
  /** What has been told to be held here. */
  const told = new Set<string>()
  const reading = new Set<ReplicaNews[]>()
  let looks = 0
  let ring = () => {}

  function note(toolboxId: string): void {
    toTell.add(toolboxId)
    ring()
  }

  function hear(payload: string): void {
    const news = parseNews(payload)
    if (!news) {
      log.warn({ channel: CHANNEL }, 'what a replica says is not understood')
      return
    }
    directory.hear(news)
    for (const meanwhile of reading) meanwhile.push(news)
    if (news.replicaId === own.id) return
    // A toolbox has one tunnel: a newer one elsewhere means that the end of ours was not noticed.
    for (const [toolboxId] of news.opened) tunnels.drop(toolboxId)
    for (const toolboxId of news.revoked) tunnels.drop(toolboxId)
  }

  /** Reads what is held from the record. What is heard meanwhile may be newer than that. */
  async function readHeld(): Promise<void> {
    const meanwhile: ReplicaNews[] = []
    reading.add(meanwhile)
    try {
      directory.setHeld(await store.system(listHeldTunnels))
      for (const news of meanwhile) directory.hear(news)
    } finally {
      reading.delete(meanwhile)
    }
  }

  /** Says that this one is there, and looks who else is. */
  async function look(): Promise<void> {
    const [isNew, live] = await store.system(async (tx) => [await seen(tx, own), await liveReplicas(tx)] as const)
    if (isNew) for (const toolboxId of told) note(toolboxId)
    looks += 1
    const isNewcomer = directory.setLive(live)
    if (isNewcomer || looks % READ_ANYWAY === 0) await readHeld()
  }

  /** Tells some of what there is to tell; what cannot be told now stays. */
  async function tell(): Promise<void> {
    const some = [...toTell].slice(0, MOST_TOLD)
    const broken = [...revoked].slice(0, MOST_TOLD)
    for (const toolboxId of some) toTell.delete(toolboxId)
    for (const toolboxId of broken) revoked.delete(toolboxId)
    const opened = some.flatMap((toolboxId) => {
      const facts = tunnels.factsOf(toolboxId)
      return facts.open ? [{ toolboxId, since: facts.since }] : []
    })
    const closed = some.filter((toolboxId) => opened.every((one) => one.toolboxId !== toolboxId))
    try {
      await store.system((tx) => storeTunnels(tx, own, { opened, closed, revoked: broken }))
    } catch (error) {
      for (const toolboxId of some) toTell.add(toolboxId)
      for (const toolboxId of broken) revoked.add(toolboxId)
      throw error
    }
    for (const { toolboxId } of opened) told.add(toolboxId)
    for (const toolboxId of closed) told.delete(toolboxId)
  }

  async function run(): Promise<void> {
    let lookAt = clock.steady() + SEEN_EVERY_MS
    while (!signal.aborted) {
      const bell = new AbortController()
      ring = () => bell.abort()
      const isDue = clock.steady() >= lookAt
      try {
        if (isDue) await look()
        if (isDue) lookAt = clock.steady() + SEEN_EVERY_MS * (0.8 + 0.2 * random())
        if (toTell.size + revoked.size > 0) await tell()
      } catch (err) {
        log.warn({ err }, 'what this replica holds could not be told')
        await clock.sleep(500 + 500 * random(), signal)
        continue
      }
      if (toTell.size + revoked.size > 0) continue
      await clock.sleep(Math.max(0, lookAt - clock.steady()), AbortSignal.any([bell.signal, signal]))
    }
    await store
      .system((tx) => leave(tx, own))
      .catch((err: unknown) => log.warn({ err }, 'the others were not told of the end'))
  }

  const door = await openReplicaDoor({ address: own.address, rootKey, tunnels, log })
  const unlisten = await store.listen(
    CHANNEL,
    hear,
    () => void readHeld().catch((err: unknown) => log.warn({ err }, 'what other replicas hold was not read')),
  )
  await look()
  log.info({ address: own.address }, 'this control plane is one of several')

  async function end(): Promise<void> {
    await run()
    door[Symbol.dispose]()
    await unlisten()
  }

  const shared = createSharedTunnels({
    tunnels,
    directory,
    lines,
    onRevoke(toolboxId) {
      revoked.add(toolboxId)
      ring()
    },
  })
  const closeAll = (): void => {
    shared.closeAll()
    leaving.abort()
  }
  return { tunnels: { ...shared, closeAll }, note, stopped: end() }
}
