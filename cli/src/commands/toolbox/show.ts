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

const factsOf = (box: Toolbox): string =>
  facts([
    ['name', box.name],
    ['id', box.id],
    ['provider', box.provider],
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
    ['last heartbeat', box.lastHeartbeatAt],
    ['machine', box.machine && `${box.machine.hostname} (${box.machine.os}, ${box.machine.arch})`],
    ['DTMA', box.dtmaVersion],
    ['Docker', box.docker && `${box.docker.state}${box.docker.version ? ` ${box.docker.version}` : ''}`],
    ['tools', `${box.toolCounts.running} running of ${box.toolCounts.total}`],
  ])
