import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Finding, failed, ok } from './finding.ts'

const LOOK_MS = 5_000

/** Whether a program answers at this address at all, before anything is said of what it is. */
export async function checkNetwork(url: URL, signal: AbortSignal): Promise<Finding> {
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const found = await lookup(host).catch(() => undefined)
  if (!found)
    return failed(
      'network',
      `The name ${host} leads nowhere`,
      'Check AGENTOPIA_URL, and the name servers of this machine.',
    )
  const socket = connect({ host: found.address, port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]) })
    return ok('network', `${host} is ${found.address}, and port ${port} is open`)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ECONNREFUSED')
      return failed(
        'network',
        `Nothing listens at ${found.address} port ${port}`,
        'Start the control plane: npm start.',
      )
    return failed(
      'network',
      `${found.address} port ${port} cannot be reached (${code ?? `nothing within ${LOOK_MS / 1_000} s`})`,
      'Check the network, and the firewalls between here and there.',
    )
  } finally {
    socket.destroy()
  }
}
