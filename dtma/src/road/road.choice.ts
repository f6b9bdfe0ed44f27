import { isLoopback } from '../contract/loopback.ts'
import type { OpenRoads, RoadWish } from '../contract/road.ts'

/** How DTMA was configured: DTMA_ROAD, or its default. */
export type ConfiguredRoad = 'tunnel' | 'direct'

/** What the control plane asked for, as it is kept. */
export interface KeptRoad extends RoadWish {
  /** The configured road at that time: what is configured differently later is the later word. */
  readonly over: ConfiguredRoad
}

/** The road that holds: what was asked for last, unless somebody has configured another one since. */
export const roadOf = (configured: ConfiguredRoad, kept: KeptRoad | undefined): RoadWish =>
  kept?.over === configured ? { road: kept.road, reach: kept.reach } : { road: configured, reach: 'network' }

export const hasTunnel = (road: OpenRoads): boolean => road !== 'direct'

/** Where DTMA listens, and whether more than /health is answered in the clear. */
export interface Door {
  readonly host: string
  readonly plain: boolean
}

/** The door that a road needs. The configured road has the configured one; an address that somebody has chosen stays. */
export function doorOf({ road, reach }: RoadWish, configured: ConfiguredRoad, door: Door): Door {
  if (road === configured || (road === 'both' && configured === 'direct')) return door
  if (road === 'tunnel') return { host: isEverywhere(door.host) ? LOOPBACK : door.host, plain: door.plain }
  return { host: reach === 'network' && isLoopback(door.host) ? EVERYWHERE : door.host, plain: false }
}

const LOOPBACK = '127.0.0.1'
const EVERYWHERE = '0.0.0.0'
const isEverywhere = (host: string): boolean => host === EVERYWHERE || host === '::'
