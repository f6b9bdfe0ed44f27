import type { WebSocket } from 'ws'

const PING_EVERY_MS = 10_000
const PONG_WITHIN_MS = 5_000

/**
 * Pings the peer, so that a half-open connection is noticed within 15 s, and proxies see traffic.
 * @param onSilent Called once when no pong came in time; the caller ends the connection.
 */
export function keepAlive(ws: WebSocket, onSilent: () => void): void {
  let deadline: NodeJS.Timeout | undefined
  const pinging = setInterval(() => {
    if (ws.readyState !== ws.OPEN || deadline) return
    deadline = setTimeout(onSilent, PONG_WITHIN_MS)
    ws.ping()
  }, PING_EVERY_MS)
  const alive = () => {
    clearTimeout(deadline)
    deadline = undefined
  }
  ws.on('pong', alive)
  ws.once('close', () => {
    clearInterval(pinging)
    alive()
  })
}
