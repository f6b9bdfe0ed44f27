import { problem } from '@agentopia/api'

/** The last record that a reader knows: its time, and its id among those of the same moment. */
interface Position {
  readonly at: Date
  readonly id: string
}

export const cursorOf = (at: string, id: string): string => `${at}_${id}`

/** @throws {ProblemError} `invalid-request` for what {@link cursorOf} never wrote, such as a day that there is not. */
export function positionOf(cursor: string): Position {
  const [, time = '', id] = /^(\d{4}-[\d:.T-]{18}Z)_(\w+)$/.exec(cursor) ?? []
  const at = new Date(time)
  // The database knows no year 0.
  if (id === undefined || Number.isNaN(at.getTime()) || at.toISOString() !== time || time.startsWith('0000'))
    throw problem('invalid-request', 'query: cursor is none that this list gave out')
  return { at, id }
}
