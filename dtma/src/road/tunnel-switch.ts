import { aborted } from '../aborted.ts'

/** Whether a tunnel is to be open. It may change at any time. */
export interface TunnelSwitch {
  turn(on: boolean): void
  /** Runs the work for as long as it is on, and anew when it is on again, until the work ends by itself or `signal` aborts. */
  whileOn<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T | 'stopped'>
}

export function createTunnelSwitch(): TunnelSwitch {
  let isOn = true
  /** Aborts with the next turn. */
  let turned = new AbortController()

  return {
    turn(on) {
      if (on === isOn) return
      isOn = on
      const before = turned
      turned = new AbortController()
      before.abort(new Error(on ? 'a tunnel is wanted' : 'no tunnel is wanted'))
    },
    async whileOn(work, signal) {
      while (!signal.aborted) {
        const until = AbortSignal.any([signal, turned.signal])
        if (!isOn) await aborted(until)
        else {
          const end = await work(until)
          if (!until.aborted) return end
        }
      }
      return 'stopped'
    },
  }
}
