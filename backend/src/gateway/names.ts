import { createHash } from 'node:crypto'

/** Longest name that every client takes. */
const LONGEST = 64
/** Between the name of an instance and what is its server's. */
export const SEPARATOR = '__'
const DIGEST = 8

/**
 * The name of a capability at the gateway: `<instance name>__<capability>`. What is too long, or holds characters that clients
 * refuse, is shortened and ends in a digest. It is looked up, never taken apart.
 * @param instanceName `undefined` for the item whose names are its server's.
 */
export function gatewayNameOf(instanceName: string | undefined, capability: string): string {
  if (instanceName === undefined) return capability
  const plain = `${instanceName}${SEPARATOR}${capability}`
  if (plain.length <= LONGEST && /^[A-Za-z0-9_-]+$/.test(plain)) return plain
  const digest = createHash('sha256').update(plain).digest('hex').slice(0, DIGEST)
  return `${plain.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, LONGEST - DIGEST - 1)}_${digest}`
}

/** Where a name or an address of the gateway leads. */
export interface Place {
  /** `undefined`: the item whose names are its server's. */
  readonly instanceName: string | undefined
  /** As its server knows it. */
  readonly own: string
}

/** The name of a prompt: as a capability's, but never shortened, so that it leads back without having been listed. */
export const promptNameOf = ({ instanceName, own }: Place): string =>
  instanceName === undefined ? own : `${instanceName}${SEPARATOR}${own}`

/** @param isName Whether an instance of this name is in the toolbelt. Names of instances hold no `_`. */
export function promptPlaceOf(name: string, isName: (instanceName: string) => boolean): Place {
  const at = name.indexOf(SEPARATOR)
  const instanceName = name.slice(0, Math.max(at, 0))
  return at > 0 && isName(instanceName)
    ? { instanceName, own: name.slice(at + SEPARATOR.length) }
    : { instanceName: undefined, own: name }
}

const SCHEME = 'agentopia:'

/** The address of a resource, or a template of addresses: `agentopia:<instance name>/<address at its server>`. */
export const resourceUriOf = ({ instanceName, own }: Place): string =>
  instanceName === undefined ? own : `${SCHEME}${instanceName}/${own}`

export function resourcePlaceOf(uri: string, isName: (instanceName: string) => boolean): Place {
  const [, instanceName = '', own = ''] = /^agentopia:([a-z0-9-]+)\/(.*)$/s.exec(uri) ?? []
  return isName(instanceName) ? { instanceName, own } : { instanceName: undefined, own: uri }
}
