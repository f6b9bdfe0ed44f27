import { BlockList, isIP } from 'node:net'
import { type Direct, problem } from '@agentopia/api'
import { hostOf } from '../http/host-of.ts'
import { isPublicAddress } from '../http/public-address.ts'

/** What the operator of this control plane allows on the direct road. */
export interface DirectConfig {
  /** Also private addresses and loopback: only where whoever creates toolboxes may know the network around the control plane. */
  readonly privateAddresses: boolean
  /** Plain HTTP, at private addresses. */
  readonly plainHttp: boolean
  /** Addresses from which this control plane dials, as firewalls see them; IP addresses or ranges. */
  readonly sources: readonly string[]
}

export interface DirectPolicy {
  /** May this address be dialled? Asked when it is dialled. */
  mayDial(address: string): boolean
  /** May it be spoken to without TLS there? */
  mayBePlain(address: string): boolean
  /** @throws {ProblemError} `direct-not-possible`, when it could never be dialled. */
  check(direct: Direct): void
  /** From where a droplet is dialled. @throws {ProblemError} `direct-not-possible`, when nobody has said it. */
  sources(): readonly string[]
}

/** Never anybody's toolbox: the cloud's metadata, everybody at once, and nobody. */
const NEVER = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  NEVER.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  NEVER.addSubnet(network, prefix, 'ipv6')

export function createDirectPolicy(config: DirectConfig, publicUrl: string): DirectPolicy {
  const ownAddress = hostOf(new URL(publicUrl))

  function mayDial(address: string): boolean {
    if (NEVER.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return false
    return config.privateAddresses || isPublicAddress(address)
  }
  const mayBePlain = (address: string) => config.plainHttp && isIP(address) !== 0 && !isPublicAddress(address)

  return {
    mayDial,
    mayBePlain,
    check({ address, plainHttp }) {
      if (address === undefined) return
      if (isIP(address) !== 0 && !mayDial(address))
        throw problem(
          'direct-not-possible',
          `${address} is not a public address; this control plane dials private ones only with DIRECT_ADDRESSES=private`,
        )
      if (plainHttp && !mayBePlain(address))
        throw problem(
          'direct-not-possible',
          `Plain HTTP is for private IP addresses, with DIRECT_PLAIN_HTTP=on; ${address} is dialled with TLS`,
        )
    },
    sources() {
      if (config.sources.length > 0) return config.sources
      if (isIP(ownAddress) !== 0) return [ownAddress]
      throw problem(
        'direct-not-possible',
        'The firewall of a droplet lets in one address alone, and this control plane does not know from which it dials: set DIRECT_SOURCES',
      )
    },
  }
}
