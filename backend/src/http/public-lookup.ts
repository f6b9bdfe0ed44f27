import { lookup as resolve } from 'node:dns'
import type { LookupFunction } from 'node:net'

/**
 * Resolves names for connections that strangers led us to: when one of a name's addresses may not be dialled, none is. It is asked at
 * the moment of dialling, so that a name cannot change in between.
 */
export const createLookup =
  (mayDial: (address: string) => boolean): LookupFunction =>
  (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const open = found.filter(({ address }) => mayDial(address))
      const [first] = open
      if (!first || open.length < found.length) return callback(new Error('the address is not public'), '')
      if (options.all) callback(null, open)
      else callback(null, first.address, first.family)
    })
