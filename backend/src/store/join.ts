import { join, resolve } from 'node:path'
import { readIfThere } from '../read-if-there.ts'
import { connect, createStore, type Store } from './connect.ts'
import type { StoreConfig } from './open.ts'
import { answers } from './postgres/postmaster.ts'

/** Line of postmaster.pid that names the folder of the socket, counted from 0. */
const SOCKET_DIR = 4

/** The store of a control plane that runs, for a command beside it. Nothing is started, migrated or stopped. @returns `undefined` when it does not run. */
export async function joinStore({ databaseUrl, dataDir }: StoreConfig): Promise<Store | undefined> {
  if (databaseUrl) return createStore(connect({ url: databaseUrl }, { poolSize: 1 }))
  const data = resolve(dataDir, 'postgres', 'data')
  const socketDir = readIfThere(join(data, 'postmaster.pid'))?.toString().split('\n')[SOCKET_DIR]
  if (!socketDir || !(await answers({ data, socketDir }))) return undefined
  return createStore(connect({ host: socketDir, port: 5432 }, { poolSize: 1 }))
}
