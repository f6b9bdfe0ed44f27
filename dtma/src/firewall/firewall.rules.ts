import { isIPv4 } from 'node:net'
import {
  attribute,
  datagram,
  FLAG,
  NetlinkError,
  type NetlinkMessage,
  type NetlinkReply,
  nested,
  number,
  text,
  textIn,
} from './netlink.ts'

/** What the firewall keeps apart. */
export interface Protected {
  /** Names of the bridges that tools stand on. */
  readonly bridges: readonly string[]
  /** Addresses of the gateway, by which tools reach what they declare: of IPv4, IPv6 or both. Empty: there is none yet. */
  readonly gateway: readonly string[]
}

// The kernel's numbers, of linux/netfilter/nf_tables.h and linux/netfilter.h.
const NFTABLES = 10 << 8
const MESSAGE = { newTable: 0, getTable: 1, delTable: 2, newChain: 3, getChain: 4, newRule: 6, getRule: 7 } as const
const BATCH = { begin: 16, end: 17 } as const
const INET = 1
const HOOK = { input: 1, forward: 2 } as const
const META = { iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 } as const
const PAYLOAD = { network: 1, transport: 2 } as const
const VERDICT = 0
const REGISTER = 1
const DROP = 0
const ACCEPT = 1
const NAME_LENGTH = 16
/** There is no such table or chain. */
const ENOENT = 2
/** Before those of Docker and of people, whatever they let through: what is dropped here is dropped. */
const PRIORITY = -10

/** What differs between the two: where a packet has its addresses, and where clouds tell a machine its secrets. */
interface Family {
  readonly number: number
  readonly source: Field
  /** Offset of the destination in bytes. */
  readonly destination: number
  /** Destinations, or what they begin with. */
  readonly secrets: readonly Buffer[]
  /** What the gateway asks of the machine although it may not reach it. */
  readonly neighbours: readonly Expression[]
}
interface Field {
  readonly base: number
  readonly offset: number
  readonly length: number
}
type Expression = Buffer

const DESTINATION_PORT: Field = { base: PAYLOAD.transport, offset: 2, length: 2 }
/** Some clouds have their name server there, too. */
const DNS = Buffer.from([0, 53])

const expression = (name: string, data: readonly Buffer[]): Expression => nested(1, [text(1, name), nested(2, data)])
const value = (bytes: Buffer): Buffer => nested(3, [attribute(1, bytes)])
const compare = (operator: 0 | 1, bytes: Buffer): Expression =>
  expression('cmp', [number(1, REGISTER), number(2, operator), value(bytes)])
const equal = (bytes: Buffer): Expression => compare(0, bytes)
const unequal = (bytes: Buffer): Expression => compare(1, bytes)
const meta = (key: number): Expression => expression('meta', [number(1, REGISTER), number(2, key)])
const payload = ({ base, offset, length }: Field): Expression =>
  expression('payload', [number(1, REGISTER), number(2, base), number(3, offset), number(4, length)])
const drop: Expression = expression('immediate', [number(1, VERDICT), nested(2, [nested(2, [number(1, DROP)])])])

const interfaceName = (name: string): Buffer => {
  const bytes = Buffer.alloc(NAME_LENGTH)
  bytes.write(name)
  return bytes
}

/** An address as packets have it. */
export function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groupsOf = (part: string) => (part === '' ? [] : part.split(':'))
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')]
  const between = Array(tail === undefined ? 0 : 8 - first.length - last.length).fill('0')
  return Buffer.from([...first, ...between, ...last].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

const IPV4: Family = {
  number: 2,
  source: { base: PAYLOAD.network, offset: 12, length: 4 },
  destination: 16,
  // 169.254.0.0/16
  secrets: [Buffer.from([169, 254])],
  neighbours: [],
}
const IPV6: Family = {
  number: 10,
  source: { base: PAYLOAD.network, offset: 8, length: 16 },
  destination: 24,
  secrets: [Buffer.from([0xfe, 0x80]), ...['fd00:ec2::254', 'fd20:ce::254'].map(bytesOf)],
  // Without ICMPv6 it would not find its own router.
  neighbours: [meta(META.l4proto), unequal(Buffer.from([58]))],
}

interface Rule {
  readonly chain: keyof typeof HOOK
  readonly expressions: readonly Expression[]
}

function rulesFor({ bridges, gateway }: Protected): Rule[] {
  const ofBridges = bridges.map(interfaceName).flatMap((name): Rule[] => [
    { chain: 'input', expressions: [meta(META.iifname), equal(name), drop] },
    { chain: 'forward', expressions: [meta(META.iifname), equal(name), meta(META.oifname), unequal(name), drop] },
    { chain: 'forward', expressions: [meta(META.oifname), equal(name), meta(META.iifname), unequal(name), drop] },
  ])
  return [...ofBridges, ...gateway.flatMap(rulesForGateway)]
}

function rulesForGateway(address: string): Rule[] {
  const { number, source, destination, secrets, neighbours } = isIPv4(address) ? IPV4 : IPV6
  const from = [meta(META.nfproto), equal(Buffer.from([number])), payload(source), equal(bytesOf(address))]
  const notDns = [payload(DESTINATION_PORT), unequal(DNS), drop]
  const to = (bytes: Buffer) => [
    payload({ base: PAYLOAD.network, offset: destination, length: bytes.length }),
    equal(bytes),
  ]
  return [
    ...secrets.map((bytes): Rule => ({ chain: 'forward', expressions: [...from, ...to(bytes), ...notDns] })),
    { chain: 'input', expressions: [...from, ...neighbours, ...notDns] },
  ]
}

/** A table of our own and nobody else's: Docker's rules and the machine's are not touched, nor does their flush touch ours. */
export const tableNameOf = (owner: string): string => `dtma-${owner.slice(0, 12)}`

const message = (type: number, flags: number, attributes: readonly Buffer[]): NetlinkMessage => ({
  type: NFTABLES | type,
  flags: FLAG.request | flags,
  family: INET,
  attributes,
})

/** All or nothing, and at once: there is no moment without the rules of before or these. */
const batch = (messages: readonly NetlinkMessage[]): Buffer => {
  const edge = (type: number): NetlinkMessage => ({ type, flags: FLAG.request, family: 0, resource: NFTABLES >> 8 })
  const last = messages.at(-1)!
  const acknowledged = { ...last, flags: last.flags | FLAG.ack }
  return datagram([edge(BATCH.begin), ...messages.slice(0, -1), acknowledged, edge(BATCH.end)])
}

/** Takes the place of whatever the table held. */
export function replaceTable(table: string, wanted: Protected): Buffer {
  const add = message(MESSAGE.newTable, FLAG.create, [text(1, table)])
  return batch([
    add,
    message(MESSAGE.delTable, 0, [text(1, table)]),
    add,
    ...Object.entries(HOOK).map(([name, hook]) =>
      message(MESSAGE.newChain, FLAG.create, [
        text(1, table),
        text(3, name),
        nested(4, [number(1, hook), number(2, PRIORITY)]),
        number(5, ACCEPT),
        text(7, 'filter'),
      ]),
    ),
    ...rulesFor(wanted).map(({ chain, expressions }) =>
      message(MESSAGE.newRule, FLAG.create | FLAG.append, [text(1, table), text(2, chain), nested(4, expressions)]),
    ),
  ])
}

/** Leaves nothing of it, also when there is nothing. */
export const removeTable = (table: string): Buffer =>
  batch([message(MESSAGE.newTable, FLAG.create, [text(1, table)]), message(MESSAGE.delTable, 0, [text(1, table)])])

/**
 * Ask for a table, its chains and its rules, one after the other, and for nothing of others, who may have thousands. In lists the
 * kernel tells rules apart by their table, chains not: those are asked for by name.
 */
function questionsOf(table: string): readonly Buffer[] {
  const one = (type: number, attributes: readonly Buffer[]) => datagram([message(type, FLAG.ack, attributes)])
  return [
    one(MESSAGE.getTable, [text(1, table)]),
    ...Object.keys(HOOK).map((name) => one(MESSAGE.getChain, [text(1, table), text(3, name)])),
    datagram([message(MESSAGE.getRule, FLAG.dump, [text(1, table)])]),
  ]
}

/** What the kernel says of a table now, as {@link tableIn} has it. @throws Whatever `ask` throws. */
export async function readTable(
  table: string,
  ask: (question: Buffer) => Promise<readonly NetlinkReply[]>,
): Promise<string> {
  const replies: NetlinkReply[] = []
  for (const question of questionsOf(table)) {
    try {
      replies.push(...(await ask(question)))
    } catch (error) {
      if (!(error instanceof NetlinkError && error.errno === ENOENT)) throw error
    }
  }
  return tableIn(replies, table)
}

/**
 * What the kernel says of a table, as one text to compare: each rule has a number of its own, so what was taken away and put
 * back by somebody else is another one. Empty: it is not there.
 */
export const tableIn = (replies: readonly NetlinkReply[], table: string): string =>
  replies
    .filter(({ body }) => textIn(body, 1) === table)
    .map(({ type, body }) => `${type & 0xff} ${body.toString('base64')}`)
    .join('\n')
