import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { BlockList, connect, isIPv6, type Socket } from 'node:net'
import { problem } from '@agentopia/api'

/** Nobody's server: this machine itself, the link with its metadata service, and what is no single machine. */
const NO_SERVER = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  NO_SERVER.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  NO_SERVER.addSubnet(network, prefix, 'ipv6')

export const mayBeServer = (address: string): boolean => !NO_SERVER.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

/** Connects to the address that was looked at, and to no other. @throws {ProblemError} `ssh-unreachable`. */
export async function dial(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { address } = await lookup(host).catch((cause: Error) => {
    throw problem('ssh-unreachable', `The name ${host} leads nowhere`, { cause })
  })
  if (!mayBeServer(address)) throw problem('ssh-unreachable', `${host} is ${address}, which is no server of yours`)
  const socket = connect({ host: address, port, noDelay: true })
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (cause) {
    socket.destroy()
    const why = (cause as NodeJS.ErrnoException).code ?? 'no answer'
    throw problem('ssh-unreachable', `${host} (${address}) port ${port}: ${why}`, { cause })
  }
}
