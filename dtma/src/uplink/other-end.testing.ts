/** DTMA's end of the tunnel, for tests of the control plane's end. */
export { systemClock } from './clock.ts'
export { runTunnel, type TunnelEnd } from './tunnel.ts'
