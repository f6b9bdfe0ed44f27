import { dirname } from 'node:path'
import { DTMA_PORT, isLoopback } from '@agentopia/api'
import { clientOf, openCommand, type World } from '../command.ts'
import { checkControlPlane } from '../doctor/control-plane.ts'
import { type Finding, skipped } from '../doctor/finding.ts'
import { checkNetwork } from '../doctor/network.ts'
import { checkDisk, checkDocker, checkDtma } from '../doctor/this-machine.ts'
import { checkToolbox } from '../doctor/toolboxes.ts'
import { ChecksFailed } from '../failure.ts'
import { allToolboxes } from '../find.ts'
import { printable } from '../output.ts'
import { VERSION } from '../version.ts'

const DEFAULT_SOCKET = '/var/run/docker.sock'

/** Looks from here outwards: what is broken near explains what is broken far. */
export const doctor = openCommand(
  'doctor',
  'Check control plane, network, clock, Docker, disk and toolboxes, and say how to mend what is wrong',
  {},
  async ({ output, settings, world, signal }) => {
    const url = new URL(settings.url)
    const network = await checkNetwork(url, signal)
    const client = clientOf(world, settings)
    const hasToken = settings.token !== undefined
    const anonymous = clientOf(world, { ...settings, token: undefined })
    const look = { client, anonymous, url: settings.url, version: VERSION, hasToken, now: Date.now, signal }
    const controlPlane = await checkControlPlane(look)
    const here = await checkHere(url, world, signal)
    const signedIn = controlPlane.some(({ id, state }) => id === 'sign-in' && state === 'ok')
    const toolboxes = signedIn ? await allToolboxes(client) : []
    const there = await Promise.all(toolboxes.map((toolbox) => checkToolbox(client, toolbox, signal)))
    const checks = [network, ...controlPlane, ...here, ...there.flat()]
    const wrong = checks.filter(({ state }) => state === 'failed').length
    output.result({ ok: wrong === 0, checks }, () => checks.map(lineOf).join('\n'))
    if (wrong > 0) throw new ChecksFailed(wrong, checks.length)
  },
)

/** Docker, DTMA and disk of this machine matter when the control plane is on it. */
async function checkHere(url: URL, { env }: World, signal: AbortSignal): Promise<readonly Finding[]> {
  if (!isLoopback(url.hostname))
    return ['docker', 'dtma', 'disk'].map((id) =>
      skipped(id, 'The control plane is on another machine, and these matter there'),
    )
  const socket = (env['DOCKER_HOST'] ?? '').replace(/^unix:\/\//, '') || env['DOCKER_SOCKET'] || DEFAULT_SOCKET
  const dataDir = env['DATA_DIR'] ?? 'data'
  return Promise.all([
    checkDocker(socket, signal),
    env['LOCAL_TOOLBOX'] === 'off'
      ? skipped('dtma', 'LOCAL_TOOLBOX is off')
      : checkDtma(Number(env['LOCAL_DTMA_PORT'] ?? DTMA_PORT), signal),
    checkDisk(dataDir).catch(() => checkDisk(dirname(dataDir))),
  ])
}

const MARKS = { ok: '✔', failed: '✖', skipped: '–' } as const

function lineOf({ id, state, finding, fix }: Finding): string {
  const line = `${MARKS[state]} ${printable(id).padEnd(24)} ${printable(finding)}`
  return fix === undefined ? line : `${line}\n  ${'fix'.padEnd(24)} ${printable(fix)}`
}
