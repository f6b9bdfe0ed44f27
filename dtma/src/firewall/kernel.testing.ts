import { PassThrough } from 'node:stream'
import type { DockerApi } from '../engine/docker.api.ts'
import { EngineError } from '../engine/engine-error.ts'
import { LABEL } from '../tools/tool-labels.ts'
import { attribute, text, textIn } from './netlink.ts'

const OWNER = '0123456789abcdef0123456789abcdef'
const NUMBER = { newTable: 0xa00, getTable: 0xa01, delTable: 0xa02, newChain: 0xa03, getChain: 0xa04, newRule: 0xa06 }
const GET_RULE = 0xa07
const DUMP = 0x300
const INTERRUPTED = 0x10
const ENOENT = 2

/** One message of a datagram. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly body: Buffer
}

export function messagesIn(bytes: Buffer): Message[] {
  const found = []
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) {
    const [type, flags] = [bytes.readUInt16LE(at + 4), bytes.readUInt16LE(at + 6)]
    found.push({ type, flags, body: bytes.subarray(at + 20, at + bytes.readUInt32LE(at)) })
  }
  return found
}

function wired(type: number, flags: number, rest: Buffer): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(16 + rest.length, 0)
  head.writeUInt16LE(type, 4)
  head.writeUInt16LE(flags, 6)
  return Buffer.concat([head, rest])
}
const acknowledged = (errno: number): Buffer => {
  const rest = Buffer.alloc(20)
  rest.writeInt32LE(-errno, 0)
  return wired(2, 0, rest)
}
const done = () => wired(3, 0, Buffer.alloc(4))

/** A machine with a Docker and a kernel, as far as the firewall looks at them: tables hold rules, and each rule has a number. */
export function kernelInMemory() {
  const tables = new Map<string, { readonly chains: Set<string>; readonly rules: Buffer[] }>()
  const asked: Message[] = []
  const machine = {
    owner: OWNER,
    tables,
    /** Everything that the kernel was asked, in its order. */
    asked,
    /** Of tools, their networks. */
    networks: [] as string[],
    /** Of the gateway on Docker's own network. */
    addresses: { IPAddress: '172.17.0.2', GlobalIPv6Address: '', MacAddress: '02:42:ac:1f:07:02' },
    /** So many answers are of rules that changed meanwhile. */
    interruptions: 0,
    /** Containers that were made to speak to the kernel. */
    made: 0,
    /** Where set, no container is made, for this reason. */
    refusal: undefined as Error | undefined,
    /** Where set, those that are made do not start. */
    noStart: undefined as Error | undefined,
    docker: undefined as unknown as DockerApi,
  }
  let handles = 0
  let line: string | undefined

  function change(messages: readonly Message[]): Buffer {
    for (const { type, body } of messages) {
      const name = textIn(body, 1) ?? ''
      if (type === NUMBER.newTable && !tables.has(name)) tables.set(name, { chains: new Set(), rules: [] })
      if (type === NUMBER.delTable) tables.delete(name)
      if (type === NUMBER.newChain) tables.get(name)!.chains.add(textIn(body, 3)!)
      if (type === NUMBER.newRule) tables.get(name)!.rules.push(Buffer.from([++handles, 0, 0, 0]))
    }
    return acknowledged(0)
  }

  /** @param name Of the table; absent: of all. */
  function dumped(type: number, name: string | undefined): Buffer {
    const flags = machine.interruptions > 0 ? INTERRUPTED : 0
    if (flags) machine.interruptions--
    const found = [...tables].filter(([table]) => name === undefined || table === name)
    const bodies = found.flatMap(([table, { chains, rules }]) => {
      if (type === NUMBER.getTable) return [text(1, table)]
      if (type === NUMBER.getChain) return [...chains].map((chain) => Buffer.concat([text(1, table), text(3, chain)]))
      return flags ? [] : rules.map((handle) => Buffer.concat([text(1, table), attribute(3, handle)]))
    })
    const answer = bodies.map((body) => wired(type - 1, flags | 2, Buffer.concat([Buffer.alloc(4), body])))
    return Buffer.concat([...answer, flags ? wired(3, flags, Buffer.alloc(4)) : done()])
  }

  function single({ type, body }: Message): Buffer {
    const [name, chain] = [textIn(body, 1)!, textIn(body, 3)]
    const found = tables.get(name)
    if (!found || (chain !== undefined && !found.chains.has(chain))) return acknowledged(ENOENT)
    const rest = Buffer.concat([text(1, name), ...(chain === undefined ? [] : [text(3, chain)])])
    return Buffer.concat([wired(type - 1, 0, Buffer.concat([Buffer.alloc(4), rest])), acknowledged(0)])
  }

  function answer(question: Buffer): Buffer {
    const messages = messagesIn(question)
    asked.push(...messages)
    const [first] = messages
    if (first!.type === 16) return change(messages.slice(1, -1))
    if ((first!.flags & DUMP) !== DUMP) return single(first!)
    return dumped(first!.type, first!.type === GET_RULE ? textIn(first!.body, 1) : undefined)
  }

  const labels = { [LABEL.owner]: OWNER }
  machine.docker = {
    listNetworks: async () =>
      machine.networks.map((name) => ({ Id: name.padEnd(64, '0'), Labels: { ...labels, [LABEL.instance]: name } })),
    async inspectContainer(name: string) {
      if (name.startsWith('dtma-gateway-')) return { NetworkSettings: { Networks: { bridge: machine.addresses } } }
      return line === undefined ? undefined : { Id: line, Config: { Labels: labels } }
    },
    async createContainer() {
      if (machine.refusal) throw machine.refusal
      if (line !== undefined) throw new EngineError('conflict', 'its name is in use')
      line = `line-${++machine.made}`
      return line
    },
    async attachContainer() {
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
      stdin.on('data', (hex: Buffer) =>
        stdout.write(`${answer(Buffer.from(hex.toString().trim(), 'hex')).toString('hex')}\n`),
      )
      return { stdin, stdout, stderr, close: () => stdout.end() }
    },
    async startContainer() {
      if (machine.noStart) throw machine.noStart
    },
    async removeContainer() {
      line = undefined
    },
  } as unknown as DockerApi
  return Object.assign(machine, {
    /** Whether a container that speaks to the kernel is there. */
    hasLine: () => line !== undefined,
  })
}
