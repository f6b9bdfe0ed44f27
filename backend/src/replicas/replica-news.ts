import * as z from 'zod'

/** The channel on which replicas tell each other what they hold. */
export const CHANNEL = 'replicas'

const news = z.object({
  replicaId: z.string(),
  /** Where it is reached. */
  address: z.string(),
  /** Toolboxes with the milliseconds since the epoch at which their tunnel opened. */
  opened: z.array(z.tuple([z.string(), z.number()])).readonly(),
  closed: z.array(z.string()).readonly(),
  /** Whose tunnel is to be broken, whoever holds it. */
  revoked: z.array(z.string()).readonly(),
  /** It ends. */
  left: z.literal(true).optional(),
})

export type ReplicaNews = Readonly<z.infer<typeof news>>

/** @returns `undefined` for what a replica of another version may say. */
export function parseNews(payload: string): ReplicaNews | undefined {
  try {
    return news.safeParse(JSON.parse(payload)).data
  } catch {
    return undefined
  }
}
