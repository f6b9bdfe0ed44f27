import pg from 'pg'
import { isLost } from './database-error.ts'
import { type LastingSession, openLastingSession } from './lasting-session.ts'

/** Hears what the database announces, by one connection for all channels. */
export interface Listener extends AsyncDisposable {
  /** Hears a channel until it is unsubscribed. `onGap` runs after the connection was lost: messages may be missing. */
  listen(channel: string, onMessage: (payload: string) => void, onGap: () => void): Promise<() => Promise<void>>
}

interface Ear {
  readonly channel: string
  readonly onMessage: (payload: string) => void
  readonly onGap: () => void
}

/** Connects when somebody listens. */
export function createListener(settings: pg.ClientConfig): Listener {
  const ears = new Set<Ear>()
  const isHeard = (channel: string): boolean => [...ears].some((ear) => ear.channel === channel)
  let opening: Promise<LastingSession> | undefined

  async function prepare(client: pg.Client, isAgain: boolean): Promise<void> {
    client.on('notification', ({ channel, payload = '' }) => {
      for (const ear of ears) if (ear.channel === channel) ear.onMessage(payload)
    })
    for (const channel of new Set([...ears].map((ear) => ear.channel)))
      await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    if (isAgain) for (const { onGap } of ears) onGap()
  }

  async function hear(channel: string): Promise<void> {
    opening ??= openLastingSession(settings, prepare)
    const session = await opening.catch((error: unknown) => {
      opening = undefined
      throw error
    })
    await session.ask(`listen ${pg.escapeIdentifier(channel)}`)
  }

  return {
    async listen(channel, onMessage, onGap) {
      const ear = { channel, onMessage, onGap }
      ears.add(ear)
      await hear(channel).catch((error: unknown) => {
        ears.delete(ear)
        throw error
      })
      return async () => {
        ears.delete(ear)
        if (isHeard(channel)) return
        const session = await opening
        await session?.ask(`unlisten ${pg.escapeIdentifier(channel)}`).catch((error: unknown) => {
          if (!isLost(error)) throw error // what is lost hears nothing, and the next does not listen to it
        })
      }
    },
    async [Symbol.asyncDispose]() {
      await opening?.then((opened) => opened[Symbol.asyncDispose]())
    },
  }
}
