import { deployTool, getCatalogTool, problem, type Tool } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { waitArgs } from '../../follow.ts'
import { untilRunning } from './await-state.ts'

export const toolDeploy = command(
  'deploy',
  'Deploy a tool of the catalogue on a toolbox',
  {
    tool: { type: 'positional', description: 'Id of the catalogue entry', required: true },
    toolbox: { type: 'string', description: 'Toolbox to deploy on', default: 'local' },
    name: { type: 'string', description: 'Name of the instance; default: the id of the entry' },
    set: { type: 'string', description: 'Settings, as key=value,key=value' },
    ...waitArgs('it is running', 300),
  },
  async ({ client, args, output, signal }) => {
    const toolbox = await findToolbox(client, args.toolbox)
    const tool = await client.call(getCatalogTool, { params: { toolId: args.tool } })
    const body = { toolId: tool.id, name: args.name ?? tool.id, config: valuesOf(tool, args.set) }
    const asked = await client.call(deployTool, { params: { toolboxId: toolbox.id }, body })
    const instance = args.wait
      ? await untilRunning(client, asked, { seconds: Number(args.timeout), signal, output })
      : asked
    output.result(
      instance,
      (one) =>
        `${toolbox.name}/${one.name} is ${one.state}${one.capabilityCount === undefined ? '' : ` with ${one.capabilityCount} capabilities`}  (${one.id})`,
    )
  },
)

/** `a=1,b=x` in the types that the fields of the tool have. */
function valuesOf(tool: Tool, text = ''): Record<string, string | number | boolean> {
  const values: Record<string, string | number | boolean> = {}
  for (const pair of text.split(',').filter(Boolean)) {
    const [key, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
    const field = tool.config.find((one) => one.key === key)
    if (!field) throw problem('invalid-config', `${tool.title} has no setting ${key || pair}`)
    values[key] = field.type === 'integer' ? Number(value) : field.type === 'boolean' ? value === 'true' : value
  }
  return values
}
