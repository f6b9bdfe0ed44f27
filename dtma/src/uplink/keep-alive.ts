import type { WebSocket } from 'ws'

const TICK_MS = 5_000
const QUIET_MS = 10_000
const SILENT_MS = 15_000

/**
 * Pings the peer when nothing has come from it for 10 s, so that proxies see traffic, and notices within 20 s when nothing comes any
 * more. Whatever comes counts: on a slow line a pong waits behind the data of its sender, and of two ends that do the same one asks.
 * @param onSilent Called once; the caller ends the connection.
 */
export function keepAlive(ws: WebSocket, onSilent: () => void): void {
  let heardAt = performance.now()
  let tickedAt = heardAt
  const heard = () => {
    heardAt = performance.now()
  }
  const tick = () => {
    const now = performance.now()
    // A tick that is late says that we stood still: what came meanwhile is not read yet.
    if (now - tickedAt > 2 * TICK_MS) heardAt = now
    tickedAt = now
    if (now - heardAt >= SILENT_MS) {
      clearInterval(ticking)
      onSilent()
    } else if (now - heardAt >= QUIET_MS && ws.readyState === ws.OPEN) ws.ping()
  }
  const ticking = setInterval(tick, TICK_MS)
  for (const event of ['message', 'ping', 'pong'] as const) ws.on(event, heard)
  ws.once('close', () => clearInterval(ticking))
}
