import type { Toolbox } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { facts } from '../../output.ts'

export const toolboxShow = command(
  'show',
  'Show one toolbox',
  { toolbox: { type: 'positional', description: 'Name or id', required: true } },
  async ({ client, args, output }) => {
    output.result(await findToolbox(client, args.toolbox), factsOf)
  },
)

const skewWords = (seconds: number): string =>
  `${Math.abs(Math.round(seconds))} s ${seconds > 0 ? 'ahead' : 'behind'}: set the clock of the machine`

function isolationWords({ state, leaks, firewall }: NonNullable<NonNullable<Toolbox['docker']>['isolation']>): string {
  const probed = { unproven: 'being probed', ok: 'proven', failed: `no, a tool could reach ${leaks.join(', ')}` }[state]
  if (!firewall) return probed
  const { state: rules, since, message } = firewall
  return `${probed}; firewall ${rules} since ${since}${message === undefined ? '' : `: ${message}`}`
}

const dockerWords = ({ state, version, confinement }: NonNullable<Toolbox['docker']>): string =>
  `${state}${version ? ` ${version}` : ''}${confinement?.seccomp === 'none' ? '; it filters no system calls of tools (seccomp)' : ''}`

const factsOf = (box: Toolbox): string =>
  facts([
    ['name', box.name],
    ['id', box.id],
    ['provider', box.provider],
    ['installed by', box.variant],
    ['SSH', box.ssh && `${box.ssh.user}@${box.ssh.host} port ${box.ssh.port}`],
    ['host key', box.ssh?.hostKey?.fingerprint],
    ['status', box.status],
    ['reason', box.statusReason],
    ['since', box.statusSince],
    [
      'cost',
      box.placement && `${box.placement.monthlyUsd} USD a month (${box.placement.size} in ${box.placement.region})`,
    ],
    ['reserved address', box.reservedIpAddress],
    ['boot', box.boot?.stages.map(({ stage, state }) => `${stage} ${state}`).join(', ')],
    ['connected', box.connected],
    [
      'road',
      box.direct
        ? `direct, to ${box.direct.address ?? box.publicIpAddress ?? 'an address not known yet'}, port ${box.direct.port}`
        : 'tunnel',
    ],
    [
      'change of road',
      box.roadChange &&
        `to ${box.roadChange.to}: ${box.roadChange.phase}${box.roadChange.message ? `: ${box.roadChange.message}` : ''}`,
    ],
    ['clock', box.clockSkewSeconds && `${skewWords(box.clockSkewSeconds)}`],
    ['last heartbeat', box.lastHeartbeatAt],
    ['machine', box.machine && `${box.machine.hostname} (${box.machine.os}, ${box.machine.arch})`],
    ['DTMA', box.dtmaVersion && `${box.dtmaVersion}${box.release?.newer ? `, ${box.release.newer} is out` : ''}`],
    [
      'update',
      box.update && `${box.update.version} ${box.update.phase}${box.update.message ? `: ${box.update.message}` : ''}`,
    ],
    ['Docker', box.docker && dockerWords(box.docker)],
    ['isolation', box.docker?.isolation && isolationWords(box.docker.isolation)],
    ['tools', `${box.toolCounts.running} running of ${box.toolCounts.total}`],
  ])
