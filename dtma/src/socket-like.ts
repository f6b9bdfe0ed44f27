import { Duplex } from 'node:stream'

/** A byte stream with the methods that `node:http2` asks of a socket beside it. They do nothing: there is no socket. */
export abstract class SocketLike extends Duplex {
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}
