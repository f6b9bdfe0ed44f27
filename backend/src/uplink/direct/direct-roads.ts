import { createDialledSessions, type DialledSessions, type DialledSessionsDeps } from '../dialled-sessions.ts'
import { type DialTarget, dialDtma } from './dial.ts'

/** Connections to toolboxes that we dial, by toolbox. What fails to open is a {@link DialError}. */
export type DirectRoads = DialledSessions<DialTarget>

export interface DirectRoadsDeps extends Pick<DialledSessionsDeps<DialTarget>, 'log' | 'clock' | 'onChange'> {
  readonly mayDial: (address: string) => boolean
}

export const createDirectRoads = ({ mayDial, ...deps }: DirectRoadsDeps): DirectRoads =>
  createDialledSessions({
    ...deps,
    name: 'direct road',
    keyOf: ({ host, port, publicKey }) => JSON.stringify([host, port, publicKey]),
    dial: (target, signal) => dialDtma(target, { mayDial, signal }),
  })
