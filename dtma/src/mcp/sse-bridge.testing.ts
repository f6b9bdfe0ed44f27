import { type FakeSseServer, fakeSseServer, type SseBehaviour } from './fake-sse-server.testing.ts'
import { createMcpBridge } from './tool-sessions.ts'

export const WELL = { content: [{ text: 'hello' }] }

export const answer = ({ id }: { readonly id?: number }, server: FakeSseServer) => server.say({ id, result: WELL })

/** Bridges to servers of the transport before streamable HTTP, all of which {@link closeAll} ends. */
export function sseBridges() {
  const closers: (() => unknown)[] = []
  const closing = (close: () => unknown) => void closers.push(close)

  async function started(behaviour: SseBehaviour = {}): Promise<FakeSseServer> {
    const server = await fakeSseServer(behaviour)
    closing(server.close)
    return server
  }

  function bridged() {
    const bridge = createMcpBridge({ version: '0', random: Math.random })
    closing(() => bridge.close('tool'))
    return bridge
  }

  return {
    closing,
    started,
    bridged,
    /** A session, and what is needed to call through it. */
    async opened(behaviour: SseBehaviour = {}) {
      const server = await started(behaviour)
      const bridge = bridged()
      const info = await bridge.open(server.target, AbortSignal.timeout(5_000))
      const call = (timeoutMs = 5_000, signal = new AbortController().signal) =>
        bridge.call('tool', 'echo', { text: 'hello' }, timeoutMs, signal)
      const calls = () => server.heard.filter(({ method }) => method === 'tools/call').length
      return { server, bridge, info, call, calls }
    },
    /** An attempt that is expected to fail. */
    async opening(behaviour: SseBehaviour, ms = 5_000) {
      const server = await started(behaviour)
      return { server, failed: bridged().open(server.target, AbortSignal.timeout(ms)) }
    },
    async closeAll() {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}
