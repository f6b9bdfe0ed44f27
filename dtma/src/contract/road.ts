import * as z from 'zod/mini'

/** DTMA's TCP port, where nobody has chosen another one. */
export const DTMA_PORT = 30_000

/** Who dials: DTMA, which opens a tunnel, or the control plane, by https to DTMA's port. `both`: while one is tried beside the other. */
export const OpenRoads = z.enum(['tunnel', 'direct', 'both'])
export type OpenRoads = z.infer<typeof OpenRoads>

/** Which roads DTMA is to have open; all others are closed. */
export const RoadWish = z.strictObject({
  road: OpenRoads,
  /** From where the port is dialled: `machine`, and it stays on loopback; `network`, and it is opened to all interfaces. */
  reach: z._default(z.enum(['network', 'machine']), 'network'),
})
export type RoadWish = z.infer<typeof RoadWish>

/** What it has open now. */
export const RoadState = z.object({
  road: OpenRoads,
  /** Where DTMA listens on its machine. */
  host: z.string(),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  /** The key that the port shows: Ed25519, SPKI DER, base64. */
  publicKey: z.string(),
})
export type RoadState = z.infer<typeof RoadState>
