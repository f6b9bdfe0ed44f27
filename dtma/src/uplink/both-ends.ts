export { keepAlive } from './keep-alive.ts'
export { SESSION_WINDOW, STREAM_WINDOW, WsDuplex } from './ws-duplex.ts'
