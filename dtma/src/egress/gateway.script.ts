import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Where a tool may connect to: by name, since only names can be declared. */
interface Destination {
  readonly host: string
  readonly port: number
}

/** What one network of a tool may reach. The gateway knows networks by its own address on them. */
export interface Route {
  readonly address: string
  /** `172.18.0.0/16`: nobody else is listened to on that address. */
  readonly subnet: string
  readonly allow: 'any' | readonly Destination[]
}

export interface GatewayPolicy {
  readonly routes: readonly Route[]
  /** Addresses of the toolbox itself: public, and yet not the outside. */
  readonly refused: readonly string[]
}

/** What DTMA wants: another policy, or a connection to a server in a tool. */
export type Order = { readonly policy: GatewayPolicy } | Destination

/** Of an order by its number. Where a connection was wanted, the connection itself is the answer, unless there is none. */
export interface Answer {
  readonly order: number
  readonly failure?: string
}

/** Each connection to DTMA begins with a number: of the order that it belongs to, or this, once, for the one that orders come on. */
export const CONTROL = 0
/** Of that number: most significant byte first. */
export const HEAD_BYTES = 4

/** Where the gateway finds DTMA's socket. */
export const LINE_INSIDE = '/run/dtma'
export const SOCKET_NAME = 'socket'

/** Where the gateway speaks HTTP's proxy protocol, to networks that may reach anything. */
export const PROXY_PORT = 3128

/**
 * The whole program of the gateway container: the only neighbour that a tool has. It forwards bytes to what a network's route
 * allows and to nothing else, and connects DTMA, whose socket it dials, with the servers in tools.
 * It runs from its own source text, so nothing may be imported: the functions below belong to it.
 */
function runGateway(proxyPort: number, linePath: string): void {
  const { BlockList, connect, createServer, isIPv4 } = process.getBuiltinModule('node:net')
  const { Resolver } = process.getBuiltinModule('node:dns/promises')
  const { readFileSync } = process.getBuiltinModule('node:fs')
  const http = process.getBuiltinModule('node:http')

  const CONNECT_MS = 10_000
  const PEEK_MS = 10_000
  const IDLE_MS = 600_000
  const CONNECTIONS_OF_A_TOOL = 256

  // Read before the first network of a tool is joined: Docker's resolver then takes the place of the machine's, and would
  // answer with ourselves when it is asked for a host that we stand for.
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  const servers = readFileSync('/etc/resolv.conf', 'utf8').matchAll(/^nameserver +(\d+\.\d+\.\d+\.\d+)/gm)
  resolver.setServers([...servers].map(([, server]) => server!))

  let routes: { readonly route: Route; readonly peers: InstanceType<typeof BlockList> }[] = []
  let refused = new BlockList()
  /** Connections of each network, by our address on it. */
  const open = new Map<string, number>()
  const listeners = new Map<number, Server>()

  /** Connects to a public address of this host; the address that is judged is the one that is dialled. */
  async function dial({ host, port }: Destination): Promise<Socket> {
    const address = isIPv4(host) ? host : (await resolver.resolve4(host))[0]!
    if (!isPublicAddress(address) || refused.check(address)) throw new Error(`${host} is not outside`)
    return opened(connect({ host: address, port, allowHalfOpen: true }))
  }

  function opened(socket: Socket): Promise<Socket> {
    return new Promise((resolve, reject) => {
      socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no answer')))
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        socket.setNoDelay(true)
        resolve(socket)
      })
    })
  }

  function splice(one: Duplex, other: Socket): void {
    const end = () => {
      one.destroy()
      other.destroy()
    }
    for (const side of [one, other]) side.on('error', end).on('close', end)
    other.setTimeout(IDLE_MS, end)
    one.pipe(other)
    other.pipe(one)
  }

  function admit(port: number, socket: Socket): void {
    socket.on('error', () => socket.destroy())
    const from = routes.find(({ route }) => route.address === socket.localAddress)
    const standing = open.get(socket.localAddress ?? '') ?? 0
    if (!from?.peers.check(socket.remoteAddress ?? '') || standing >= CONNECTIONS_OF_A_TOOL) {
      socket.destroy()
      return
    }
    const { address, allow } = from.route
    open.set(address, standing + 1)
    socket.once('close', () => open.set(address, (open.get(address) ?? 1) - 1))
    if (allow === 'any') {
      proxy.emit('connection', socket)
      return
    }
    const allowed = allow.filter((destination) => destination.port === port)
    forward(allowed, socket).catch(() => socket.destroy())
  }

  /** A tool connects as if we were the host: the names that it may use lead to us. */
  async function forward(allowed: readonly Destination[], socket: Socket): Promise<void> {
    if (allowed.length === 0) throw new Error('nothing is allowed on this port')
    const wanted = allowed.length === 1 ? allowed[0] : await announced(allowed, socket)
    if (!wanted) throw new Error('the host is not allowed')
    splice(socket, await dial(wanted))
  }

  /** Several hosts share the port: TLS and HTTP say in their first bytes which one is meant. */
  async function announced(allowed: readonly Destination[], socket: Socket): Promise<Destination | undefined> {
    const name = await peek(socket, hostNamedBy)
    return allowed.find(({ host }) => host === name)
  }

  /** What the first bytes of a connection tell, which stay in it; `undefined`: nothing, however many they are. */
  function peek<T>(socket: Duplex, tell: (head: Buffer) => T | undefined): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      let head = Buffer.alloc(0)
      const timeout = setTimeout(() => reject(new Error('nothing said')), PEEK_MS)
      socket.once('close', () => reject(new Error('gone')))
      const read = (chunk: Buffer) => {
        head = Buffer.concat([head, chunk])
        const told = tell(head)
        if (told === undefined && head.length < 16_384) return
        clearTimeout(timeout)
        socket.off('data', read)
        socket.pause()
        socket.unshift(head)
        resolve(told)
      }
      socket.on('data', read)
    })
  }

  /** Of a network that may reach anything: HTTP and HTTPS alone. */
  function dialWeb(destination: Destination): Promise<Socket> {
    if (!isWebPort(destination.port)) return Promise.reject(new Error('that is no port of HTTP'))
    return dial(destination)
  }

  const proxy = http.createServer((request, response) => {
    const refuse = (status: number) => void response.writeHead(status, { connection: 'close' }).end()
    const url = URL.parse(request.url ?? '')
    if (url?.protocol !== 'http:') return refuse(400)
    dialWeb({ host: url.hostname, port: Number(url.port || 80) }).then(
      (upstream) => {
        const { 'proxy-connection': _, 'proxy-authorization': __, ...headers } = request.headers
        const options = { method: request.method, path: url.pathname + url.search, headers, setHost: false }
        const outgoing = http.request({ ...options, createConnection: () => upstream }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
        })
        upstream.setTimeout(IDLE_MS, () => upstream.destroy())
        outgoing.on('error', () => (response.headersSent ? response.destroy() : refuse(502)))
        response.on('close', () => upstream.destroy())
        request.pipe(outgoing)
      },
      () => refuse(403),
    )
  })
  proxy.on('connect', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const [, host, port] = /^([^:[\]]+):(\d{1,5})$/.exec(request.url ?? '') ?? []
    dialWeb({ host: host ?? '', port: Number(port) }).then(
      (upstream) => {
        const end = () => {
          socket.destroy()
          upstream.destroy()
        }
        upstream.on('error', end)
        socket.on('close', end)
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        if (head.length > 0) socket.unshift(head)
        // Until then nothing goes either way: what waits to be greeted by its server is no HTTP.
        peek(socket, speaksWeb).then((isWeb) => (isWeb ? splice(socket, upstream) : end()), end)
      },
      () => socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n'),
    )
  })
  proxy.on('clientError', (_, socket) => socket.destroy())

  /** Once it resolves, this policy and no other holds for new connections. */
  async function apply(policy: GatewayPolicy): Promise<void> {
    const blocked = new BlockList()
    for (const address of policy.refused) blocked.addAddress(address)
    refused = blocked
    routes = policy.routes.map((route) => {
      const [net = '', bits] = route.subnet.split('/')
      const peers = new BlockList()
      peers.addSubnet(net, Number(bits))
      return { route, peers }
    })
    const ports = new Set([proxyPort])
    for (const { allow } of policy.routes) if (allow !== 'any') for (const { port } of allow) ports.add(port)
    for (const [port, listener] of listeners)
      if (!ports.has(port)) {
        listener.close()
        listeners.delete(port)
      }
    for (const port of ports) if (!listeners.has(port)) listeners.set(port, await listen(port))
  }

  function listen(port: number): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => admit(port, socket))
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '0.0.0.0', () => resolve(server))
    })
  }

  /** A connection to DTMA, for this order. */
  function dialDtma(order: number): Socket {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(order)
    const line = connect({ path: linePath, allowHalfOpen: true })
    line.write(head)
    return line
  }

  async function obey(order: Order, number: number): Promise<void> {
    if ('policy' in order) {
      await apply(order.policy)
      answer({ order: number })
      return
    }
    // Only to servers on networks of tools.
    const { host, port } = order
    if (!routes.some(({ peers }) => peers.check(host))) throw new Error('that is no tool')
    const tool = await opened(connect({ host, port, allowHalfOpen: true }))
    splice(dialDtma(number), tool)
  }

  const answer = (answer: Answer) => void control.write(`${JSON.stringify(answer)}\n`)

  const control = dialDtma(0)
  let unread = ''
  control.setEncoding('utf8').on('data', (part: string) => {
    const lines = (unread + part).split('\n')
    unread = lines.pop() ?? ''
    for (const line of lines) {
      const order = JSON.parse(line) as Order & { readonly order: number }
      obey(order, order.order).catch((error: Error) => answer({ order: order.order, failure: error.message }))
    }
  })
  // DTMA is gone: it makes a new gateway when it is back, and what stands goes on until then.
  control.on('end', () => control.end())
  control.on('error', (error) => {
    console.error(error)
    if (control.connecting) process.exit(1)
  })
  setInterval(() => {}, 60_000)
}

/** Whether this IPv4 address lies on the public internet: no private, local, shared, documentation or multicast range. */
export function isPublicAddress(address: string): boolean {
  const [a = 0, b = 0, c = 0] = address.split('.').map(Number)
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(address)) return false
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false
  if (a === 100 && b >= 64 && b < 128) return false
  if (a === 169 && b === 254) return false
  if (a === 172 && b >= 16 && b < 32) return false
  if (a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99))) return false
  if (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) return false
  return !(a === 203 && b === 0 && c === 113)
}

/** Where HTTP and HTTPS are spoken: at their own ports, and where no other well-known service is. */
export function isWebPort(port: number): boolean {
  return port === 80 || port === 443 || port >= 1_024
}

/** Whether the first bytes of a connection begin TLS or an HTTP request. @returns `undefined` when more bytes may tell. */
export function speaksWeb(head: Buffer): boolean | undefined {
  if (head[0] === 0x16) return head.length < 2 ? undefined : head[1] === 3
  const text = head.toString('latin1')
  if (!/^[A-Z]{0,20}(?: |$)/.test(text)) return false
  return text.includes('\n') ? /^[A-Z]+ \S+ HTTP\/[12]\.\d\r?\n/.test(text) : undefined
}

/**
 * The host that the first bytes of a connection name: the server name of a TLS greeting, or the Host line of an HTTP request.
 * @returns Empty when they name none and never will; `undefined` when more bytes may tell.
 */
export function hostNamedBy(head: Buffer): string | undefined {
  if (head.length === 0) return undefined
  if (head[0] !== 0x16) {
    const text = head.toString('latin1')
    const host = /\r\nhost: *([^\r\n:]+)(?::\d+)? *\r\n/i.exec(text)?.[1]
    if (host !== undefined) return host.toLowerCase()
    return text.includes('\r\n\r\n') || !/^[A-Z]/.test(text) ? '' : undefined
  }
  if (head.length < 5 || head.length < 5 + head.readUInt16BE(3)) return undefined
  try {
    // Greeting: type, length, version, random; then the session, the ciphers, the compressions, and the extensions.
    let at = 5 + 4 + 2 + 32
    at += 1 + head.readUInt8(at)
    at += 2 + head.readUInt16BE(at)
    at += 1 + head.readUInt8(at)
    const end = at + 2 + head.readUInt16BE(at)
    at += 2
    while (at + 4 <= end) {
      const length = head.readUInt16BE(at + 2)
      if (head.readUInt16BE(at) === 0) return head.toString('latin1', at + 9, at + 4 + length).toLowerCase()
      at += 4 + length
    }
    return ''
  } catch {
    return '' // it says that it is longer than it is
  }
}

/** The program as text, for `node -e`. */
export const GATEWAY_SCRIPT = `${isPublicAddress}\n${isWebPort}\n${speaksWeb}\n${hostNamedBy}\n(${runGateway})(${PROXY_PORT}, ${JSON.stringify(`${LINE_INSIDE}/${SOCKET_NAME}`)})`
