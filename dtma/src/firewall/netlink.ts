/**
 * The wire format of netlink, by which Linux is told its firewall: length, type and value, nested. Whole numbers of messages and
 * attributes' headers are in the machine's byte order, which is little-endian wherever Node runs; values are in the network's.
 */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  /** Address family, which every message of netfilter begins with. */
  readonly family: number
  /** Big-endian, of the batch messages. */
  readonly resource?: number
  readonly attributes?: readonly Buffer[]
}

/** One message of an answer. */
export interface NetlinkReply {
  readonly type: number
  /** Without the two headers, which carry numbers of this one exchange. */
  readonly body: Buffer
}

export const FLAG = { request: 1, ack: 4, dump: 0x300, create: 0x400, append: 0x800 } as const

const NESTED = 0x8000
const HEADER = 16
const FAMILY_HEADER = 4
const ERROR = 2
/** NLM_F_DUMP_INTR: what is listed was changed meanwhile, so the list is neither of before nor of after. */
const INTERRUPTED = 0x10

const padded = (length: number): number => (length + 3) & ~3

export function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(padded(4 + value.length))
  bytes.writeUInt16LE(4 + value.length, 0)
  bytes.writeUInt16LE(type, 2)
  value.copy(bytes, 4)
  return bytes
}

export const nested = (type: number, attributes: readonly Buffer[]): Buffer =>
  attribute(type | NESTED, Buffer.concat(attributes))

export const number = (type: number, value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return attribute(type, bytes)
}

export const text = (type: number, value: string): Buffer => attribute(type, Buffer.from(`${value}\0`))

/** @returns One datagram; the messages are numbered from 1. */
export function datagram(messages: readonly NetlinkMessage[]): Buffer {
  return Buffer.concat(
    messages.map(({ type, flags, family, resource = 0, attributes = [] }, index) => {
      const body = Buffer.concat(attributes)
      const head = Buffer.alloc(HEADER + FAMILY_HEADER)
      head.writeUInt32LE(head.length + body.length, 0)
      head.writeUInt16LE(type, 4)
      head.writeUInt16LE(flags, 6)
      head.writeUInt32LE(index + 1, 8)
      head.writeUInt8(family, 16)
      head.writeUInt16BE(resource, 18)
      return Buffer.concat([head, body])
    }),
  )
}

/** @throws {NetlinkError | ListInterrupted} The kernel has refused what was asked, or has to be asked again. */
export function repliesIn(bytes: Buffer): NetlinkReply[] {
  const replies: NetlinkReply[] = []
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at)
    if (length < HEADER || at + length > bytes.length) throw new Error('The kernel answered with half a message')
    const type = bytes.readUInt16LE(at + 4)
    if ((bytes.readUInt16LE(at + 6) & INTERRUPTED) !== 0) throw new ListInterrupted()
    if (type === ERROR) {
      const code = bytes.readInt32LE(at + HEADER)
      if (code !== 0) throw new NetlinkError(-code)
    } else if (type > ERROR + 1) {
      replies.push({ type, body: bytes.subarray(at + HEADER + FAMILY_HEADER, at + length) })
    }
    at += padded(length)
  }
  return replies
}

/** The first attribute of this type, as text. */
export function textIn(body: Buffer, type: number): string | undefined {
  for (let at = 0; at + 4 <= body.length; ) {
    const length = body.readUInt16LE(at)
    if (length < 4) return undefined
    if ((body.readUInt16LE(at + 2) & ~NESTED) === type)
      return body.toString('latin1', at + 4, at + length).replace(/\0$/, '')
    at += padded(length)
  }
  return undefined
}

export class NetlinkError extends Error {
  override readonly name = 'NetlinkError'
  /** Of the kernel, such as 1 for EPERM. */
  readonly errno: number

  constructor(errno: number) {
    super(`The kernel refuses the firewall (errno ${errno})`)
    this.errno = errno
  }
}

export class ListInterrupted extends Error {
  override readonly name = 'ListInterrupted'

  constructor() {
    super('The rules of the machine were changed while they were read')
  }
}
