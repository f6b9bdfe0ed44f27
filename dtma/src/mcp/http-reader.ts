import { StringDecoder } from 'node:string_decoder'

export interface HttpHead {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>
}

/** Whoever wants an answer. What it throws breaks the answer off. */
export interface HttpListener {
  onHead(head: HttpHead): void
  /** A piece of the body, as UTF-8. */
  onText(text: string): void
}

export interface HttpReader {
  /** @returns Whether the answer is complete. @throws {Error} It is not HTTP/1.1, or what the listener threw. */
  read(chunk: Buffer): boolean
  /** The connection has ended. @returns Whether the answer is complete by that. */
  end(): boolean
  /** How long the connection may wait for its next exchange, once the answer is complete; 0: not at all. */
  readonly keepMs: number
}

const MOST_HEAD_BYTES = 16_384
const MOST_LINE_BYTES = 256
const END_OF_HEAD = '\r\n\r\n'
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?$/
const HEADER_LINE = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([^\r\n\0]*)$/
const CHUNK_LINE = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i
/** A server that says for how long it keeps a connection may be about to close it by then. */
const KEEP_MARGIN_MS = 1_000

/**
 * Reads one answer of HTTP/1.1. Node's own client does much that is not needed here, and costs four times as much for each call.
 * What is ambiguous is refused: then the connection must not be used again.
 */
export function createHttpReader({ onHead, onText }: HttpListener): HttpReader {
  let step: 'head' | 'body' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'rest' | 'done' = 'head'
  let unread: Buffer = Buffer.alloc(0)
  /** Bytes of the body, or of its chunk, that are to come. */
  let left = 0
  let keepMs = 0
  const decoder = new StringDecoder('utf8')

  /** @returns Whether there was enough to go a step on. */
  function advance(): boolean {
    switch (step) {
      case 'head':
        return readHead()
      case 'size':
        return readSize()
      case 'trailers':
        return readTrailer()
      case 'chunk end':
        return readChunkEnd()
      case 'done':
        return false
      default:
        return readBody()
    }
  }

  function readHead(): boolean {
    const at = unread.indexOf(END_OF_HEAD)
    if (at > MOST_HEAD_BYTES || (at < 0 && unread.length > MOST_HEAD_BYTES)) throw wrong('its head is too long')
    if (at < 0) return false
    const [first = '', ...lines] = unread.toString('latin1', 0, at).split('\r\n')
    unread = unread.subarray(at + END_OF_HEAD.length)
    const [, minor, code] = STATUS_LINE.exec(first) ?? []
    const status = Number(code)
    if (code === undefined || status === 101) throw wrong('it begins otherwise')
    const headers = headersIn(lines)
    if (status < 200) return true // it announces the answer
    const size = sizeOf(status, headers)
    keepMs = minor === '1' && size !== 'rest' ? keepMsOf(headers) : 0
    left = typeof size === 'number' ? size : 0
    step = size === 'chunked' ? 'size' : size === 'rest' ? 'rest' : 'body'
    onHead({ status, headers })
    if (step === 'body' && left === 0) finish()
    return true
  }

  function readBody(): boolean {
    const count = step === 'rest' ? unread.length : Math.min(left, unread.length)
    if (count === 0) return false
    const text = decoder.write(unread.subarray(0, count))
    unread = unread.subarray(count)
    left -= count
    if (text !== '') onText(text)
    if (step === 'chunk' && left === 0) step = 'chunk end'
    if (step === 'body' && left === 0) finish()
    return true
  }

  function readSize(): boolean {
    const line = takeLine()
    if (line === undefined) return false
    const [, size] = CHUNK_LINE.exec(line) ?? []
    if (size === undefined) throw wrong('a chunk has no size')
    left = Number.parseInt(size, 16)
    step = left === 0 ? 'trailers' : 'chunk'
    return true
  }

  function readChunkEnd(): boolean {
    if (unread.length < 2) return false
    if (unread.toString('latin1', 0, 2) !== '\r\n') throw wrong('a chunk does not end')
    unread = unread.subarray(2)
    step = 'size'
    return true
  }

  function readTrailer(): boolean {
    const line = takeLine()
    if (line === '') finish()
    return line !== undefined
  }

  function takeLine(): string | undefined {
    const at = unread.indexOf('\r\n')
    if (at > MOST_LINE_BYTES || (at < 0 && unread.length > MOST_LINE_BYTES)) throw wrong('a line is too long')
    if (at < 0) return undefined
    const line = unread.toString('latin1', 0, at)
    unread = unread.subarray(at + 2)
    return line
  }

  function finish(): void {
    step = 'done'
    const text = decoder.end()
    if (text !== '') onText(text)
  }

  return {
    get keepMs() {
      return keepMs
    },
    read(chunk) {
      unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk])
      while (advance()) {}
      if (step !== 'done') return false
      if (unread.length > 0) keepMs = 0 // it says more than it was asked
      return true
    },
    end() {
      if (step === 'rest') finish()
      return step === 'done'
    },
  }
}

const wrong = (why: string) => new Error(`The answer is not HTTP/1.1: ${why}`)

function headersIn(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = HEADER_LINE.exec(line) ?? []
    if (name === undefined || value === undefined) throw wrong('a header is none')
    const key = name.toLowerCase()
    const before = headers.get(key)
    headers.set(key, before === undefined ? value.trimEnd() : `${before}, ${value.trimEnd()}`)
  }
  return headers
}

/** Bytes of the body; `rest`: all that comes until the connection ends. */
function sizeOf(status: number, headers: HttpHead['headers']): number | 'chunked' | 'rest' {
  const coding = headers.get('transfer-encoding')
  const length = headers.get('content-length')
  if (coding !== undefined && (length !== undefined || coding.toLowerCase() !== 'chunked'))
    throw wrong('where it ends is not clear')
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw wrong('its length is not clear')
  if (status === 204 || status === 304) return 0
  if (coding !== undefined) return 'chunked'
  return length === undefined ? 'rest' : Number(length)
}

function keepMsOf(headers: HttpHead['headers']): number {
  if (/\bclose\b/i.test(headers.get('connection') ?? '')) return 0
  const seconds = /\btimeout=(\d{1,6})\b/i.exec(headers.get('keep-alive') ?? '')?.[1]
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Number(seconds) * 1_000 - KEEP_MARGIN_MS)
}
