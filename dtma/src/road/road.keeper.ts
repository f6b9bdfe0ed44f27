import { join } from 'node:path'
import * as z from 'zod/mini'
import { problem } from '../contract/problems.ts'
import { OpenRoads, type RoadState, type RoadWish } from '../contract/road.ts'
import type { Port } from '../http/serve.ts'
import { createTurn } from '../in-turn.ts'
import type { Log } from '../log.ts'
import { reasonOf } from '../reason.ts'
import { stateFile } from '../state-file.ts'
import type { Clock } from '../uplink/clock.ts'
import { type ConfiguredRoad, type Door, doorOf, hasTunnel, type KeptRoad, roadOf } from './road.choice.ts'
import type { TunnelSwitch } from './tunnel-switch.ts'

const KeptFile = z.object({
  road: OpenRoads,
  reach: z.enum(['network', 'machine']),
  over: z.enum(['tunnel', 'direct']),
})

export interface RoadKeeperDeps {
  readonly configured: ConfiguredRoad
  /** As it was opened at the start. */
  readonly door: Door
  readonly port: Pick<Port, 'number' | 'listens' | 'listenOn'>
  readonly tunnel: Pick<TunnelSwitch, 'turn'>
  readonly stateDirectory: string
  /** The key that the port shows. */
  readonly publicKey: () => string
  readonly log: Log
  readonly clock: Pick<Clock, 'sleep'>
  /** Aborts when DTMA ends. */
  readonly signal: AbortSignal
}

/** Whoever has taken the port may give it back. */
const LISTEN_AGAIN_MS = 5_000

/** The roads by which the control plane comes: what is kept on disk decides, also after a restart. */
export interface RoadKeeper {
  readonly road: OpenRoads
  /** Whether more than /health is answered in the clear. */
  readonly plain: boolean
  /** Opens and closes, and keeps it. The same again changes nothing. @throws {ProblemError} `road-not-possible` */
  set(wish: RoadWish): Promise<RoadState>
}

/** Opens what is kept, over what is configured. */
export async function openRoads(deps: RoadKeeperDeps): Promise<RoadKeeper> {
  const { configured, port, tunnel, stateDirectory, publicKey, log, clock, signal } = deps
  const file = stateFile(join(stateDirectory, 'road.json'), KeptFile)
  const kept = await file.read()
  let now = roadOf(configured, kept)
  // What is configured later is the later word for good, also when it is configured back.
  if (kept && kept.over !== configured) await file.write({ ...now, over: configured })
  let door = deps.door
  const turn = createTurn()

  /** The port first: what it refuses changes nothing. */
  async function open(wish: RoadWish): Promise<void> {
    const wanted = doorOf(wish, configured, deps.door)
    if (wanted.host !== door.host || !port.listens) await port.listenOn(wanted.host)
    door = wanted
    tunnel.turn(hasTunnel(wish.road))
  }

  async function set(wish: RoadWish): Promise<RoadState> {
    const before = now
    await open(wish).catch((cause: unknown) => {
      void listenAgain()
      throw problem('road-not-possible', reasonOf(cause), { cause })
    })
    if (wish.road !== before.road || wish.reach !== before.reach) {
      // On disk before it is answered; whoever is not answered asks again.
      await file.write({ ...wish, over: configured } satisfies KeptRoad)
      log.info('the road was changed', { road: wish.road, from: before.road, host: door.host })
    }
    now = wish
    return { road: now.road, host: door.host, port: port.number, publicKey: publicKey() }
  }

  let isWaiting = false
  /** Until it listens for the road that holds: by the direct road nobody could come and ask for it. */
  async function listenAgain(): Promise<void> {
    if (isWaiting) return
    isWaiting = true
    while (!port.listens && !signal.aborted) {
      log.error('nobody can come in: the port is taken; it is tried again', { port: port.number, road: now.road })
      await clock.sleep(LISTEN_AGAIN_MS, signal)
      await turn.take(async () => {
        if (port.listens || signal.aborted) return
        await open(now).then(
          () => log.info('the port listens again', { port: port.number, host: door.host }),
          (error: unknown) => log.error('the port cannot be opened yet', { port: port.number, error }),
        )
      })
    }
    isWaiting = false
  }

  tell(log, configured, kept, now)
  await open(now).catch((error: unknown) => {
    log.error('the port cannot be opened for the road; it stays as it is configured', { road: now.road, error })
    tunnel.turn(hasTunnel(now.road))
    void listenAgain()
  })
  return {
    get road() {
      return now.road
    },
    get plain() {
      return door.plain
    },
    set: (wish) => turn.take(() => set(wish)),
  }
}

/** A word of the environment that does not hold, or that ended another one, is said. */
function tell(log: Log, configured: ConfiguredRoad, kept: KeptRoad | undefined, { road }: RoadWish): void {
  if (kept && kept.over !== configured && kept.road !== configured)
    log.warn('DTMA_ROAD was set to another road since the control plane changed it: it decides', {
      road: configured,
      changedTo: kept.road,
      fix: 'Change the road of the toolbox on its page, or with `agentopia toolbox road`; DTMA_ROAD may stay as it was.',
    })
  else if (road !== configured)
    log.info('the road was changed from the control plane; DTMA_ROAD says how it began', { road, began: configured })
}
