import { once } from 'node:events'
import { statfs } from 'node:fs/promises'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { type Finding, failed, ok } from './finding.ts'

const LOOK_MS = 5_000
const SHARE_LEFT = 0.05
const LEAST_BYTES_LEFT = 1 << 30
const GIB = 2 ** 30

/** @param socketPath Of Docker. */
export async function checkDocker(socketPath: string, signal: AbortSignal): Promise<Finding> {
  try {
    const { Version } = (await ask({ socketPath, path: '/version' }, signal)) as { Version?: string }
    return ok('docker', `Docker ${Version ?? '(of no version)'} answers at ${socketPath}`)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT')
      return failed(
        'docker',
        `There is no Docker at ${socketPath}`,
        'Install Docker, or start it: systemctl enable --now docker.',
      )
    if (code === 'ECONNREFUSED')
      return failed('docker', `Docker does not run behind ${socketPath}`, 'Start it: systemctl start docker.')
    if (code === 'EACCES')
      return failed(
        'docker',
        `This user may not use ${socketPath}`,
        'Run this as root, or: usermod -aG docker <user>, and log in anew.',
      )
    return failed(
      'docker',
      `Docker takes the call and does not answer (${code ?? `within ${LOOK_MS / 1_000} s`})`,
      'Restart it: systemctl restart docker.',
    )
  }
}

/** DTMA of the toolbox `local`. */
export async function checkDtma(port: number, signal: AbortSignal): Promise<Finding> {
  const where = `http://127.0.0.1:${port}/health`
  try {
    const { status, version } = (await ask({ host: '127.0.0.1', port, path: '/health' }, signal)) as Record<
      string,
      string
    >
    if (status === 'ok') return ok('dtma', `DTMA ${version} answers at ${where}`)
    return failed(
      'dtma',
      `DTMA at ${where} is ${status ?? 'something else than DTMA'}`,
      'Read its log: docker logs agentopia-dtma-<toolbox id>.',
    )
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? `nothing within ${LOOK_MS / 1_000} s`
    return failed(
      'dtma',
      `No DTMA answers at ${where} (${code})`,
      'Start the control plane: it starts DTMA. Another port is set by LOCAL_DTMA_PORT.',
    )
  }
}

/** @param path On the disk that is looked at. */
export async function checkDisk(path: string): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(path)
  const free = bavail * bsize
  const all = blocks * bsize
  const words = `${(free / GIB).toFixed(1)} of ${(all / GIB).toFixed(1)} GiB are free at ${path}`
  if (free >= Math.min(LEAST_BYTES_LEFT, all * SHARE_LEFT)) return ok('disk', words)
  return failed(
    'disk',
    words,
    'Remove what is not needed (docker image prune removes images that nothing uses), or enlarge the disk.',
  )
}

type Place =
  | { readonly socketPath: string; readonly path: string }
  | { readonly host: string; readonly port: number; readonly path: string }

async function ask(place: Place, signal: AbortSignal): Promise<unknown> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
  const outgoing = request({ ...place, agent: false, signal: limit })
  outgoing.end()
  const [response] = await once(outgoing, 'response')
  return json(response)
}
