import { createJoinLine, createToolbox, DTMA_PORT, InstallVariant, problem, type Toolbox } from '@agentopia/api'
import { command } from '../../command.ts'
import { awaitActive } from './await-active.ts'

export const toolboxCreate = command(
  'create',
  'Ask for a toolbox: a server of your own that joins by one line or over SSH, or a droplet',
  {
    name: { type: 'positional', description: 'Name of the toolbox', required: true },
    provider: { type: 'enum', options: ['join', 'ssh', 'digitalocean'], description: 'What it is', default: 'join' },
    host: { type: 'string', description: 'Of a server over SSH: name or address' },
    'ssh-port': { type: 'string', description: 'Of a server over SSH', default: '22' },
    user: { type: 'string', description: 'Of a server over SSH; another one than root needs sudo', default: 'root' },
    region: { type: 'string', description: 'Of a droplet, e.g. fra1' },
    size: { type: 'string', description: 'Of a droplet, e.g. s-1vcpu-1gb' },
    image: { type: 'string', description: 'Of a droplet', default: 'debian-12-x64' },
    variant: { type: 'enum', options: InstallVariant.options, description: 'How DTMA is installed', default: 'docker' },
    direct: {
      type: 'boolean',
      description: 'The control plane dials it, over https; otherwise it dials',
      default: false,
    },
    address: { type: 'string', description: 'With --direct, of a server: its IP address or name' },
    port: { type: 'string', description: "With --direct, of a server: DTMA's port", default: String(DTMA_PORT) },
    'plain-http': { type: 'boolean', description: 'With --direct: without TLS, at a private address', default: false },
    wait: { type: 'boolean', description: 'Wait until it is active', default: false },
    timeout: { type: 'string', description: 'Seconds to wait', default: '900' },
  },
  async ({ client, args, output, signal }) => {
    const { name, region, size, image, variant } = args
    const patience = { seconds: Number(args.timeout), signal, output }
    if (args.provider === 'join') {
      const toolbox = await client.call(createToolbox, {
        body: { provider: 'join', name, variant, ...directPart(args) },
      })
      const join = await client.call(createJoinLine, { params: { toolboxId: toolbox.id } })
      if (join.warning) output.note(join.warning)
      output.note('Paste this line into a terminal of the server. It works once, for 15 minutes:')
      if (!args.wait) return output.result({ toolbox, ...join }, () => join.line)
      output.note(join.line)
      return output.result(await awaitActive(client, toolbox.id, patience), inShort)
    }
    if (args.provider === 'ssh') {
      const { host, user } = args
      if (!host) throw problem('invalid-request', 'A server over SSH needs --host')
      const body = { provider: 'ssh', name, variant, host, port: Number(args['ssh-port']), user } as const
      const toolbox = await client.call(createToolbox, { body })
      output.note(`Next: agentopia toolbox host-key ${name}, then agentopia toolbox push ${name} --host-key SHA256:…`)
      return output.result(toolbox, inShort)
    }
    if (!region || !size)
      throw problem('invalid-request', 'A droplet needs --region and --size; see `agentopia provider options`')
    const toolbox = await client.call(createToolbox, {
      body: { provider: 'digitalocean', name, variant, region, size, image, direct: args.direct },
    })
    output.note(`${name} is asked for: ${toolbox.placement?.monthlyUsd} USD a month`)
    output.result(args.wait ? await awaitActive(client, toolbox.id, patience) : toolbox, inShort)
  },
)

interface DirectArgs {
  readonly direct: boolean
  readonly address?: string | undefined
  readonly port: string
  readonly 'plain-http': boolean
}

function directPart({ direct, address, port, 'plain-http': plainHttp }: DirectArgs) {
  if (!direct && address === undefined) return {}
  if (!direct || address === undefined)
    throw problem('invalid-request', 'The direct road to a server needs both --direct and --address')
  return { direct: { address, port: Number(port), plainHttp } }
}

const inShort = ({ name, status }: Toolbox): string => `${name} is ${status.replaceAll('_', ' ')}`
