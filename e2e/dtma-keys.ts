import { onMachine } from '@agentopia/testbed/machines'
import type { Product } from './product.ts'

/** What a DTMA proves by that it is the one of its toolbox. */
export interface DtmaKeys {
  readonly privateKey: string
  readonly backendToDtmaApiKey: string
  readonly dtmaBearerToken: string
}

/** Of the DTMA that was installed on a machine. */
export async function keysOn(machine: string): Promise<DtmaKeys> {
  const text = await onMachine(machine, ['cat', '/var/lib/agentopia/dtma/identity.json'])
  const { privateKey, credentials } = JSON.parse(text) as {
    readonly privateKey: string
    readonly credentials: Omit<DtmaKeys, 'privateKey'>
  }
  const { backendToDtmaApiKey, dtmaBearerToken } = credentials
  return { privateKey, backendToDtmaApiKey, dtmaBearerToken }
}

/** What somebody gets who still has this token: an HTTP status. */
export async function beat({ url }: Product, token: string): Promise<number> {
  const { status } = await fetch(`${url}/dtma/heartbeat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ runId: 'r', seq: 1, dtmaVersion: '0.1.0', apiVersion: 1, docker: { state: 'ok' } }),
  })
  return status
}
