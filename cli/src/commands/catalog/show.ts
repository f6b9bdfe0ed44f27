import { getCatalogTool, type Tool } from '@agentopia/api'
import { command } from '../../command.ts'
import { facts } from '../../output.ts'

const egressOf = (egress: Tool['egress']): string =>
  typeof egress === 'string' ? egress : egress.map(({ host, port }) => `${host}:${port}`).join(', ')

export const catalogShow = command(
  'show',
  'Show one catalogue entry with its settings',
  { tool: { type: 'positional', description: 'Id of the entry', required: true } },
  async ({ client, args, output }) => {
    output.result(await client.call(getCatalogTool, { params: { toolId: args.tool } }), (tool) =>
      facts([
        ['id', tool.id],
        ['title', tool.title],
        ['summary', tool.summary],
        ['publisher', tool.publisher],
        ['package', `${tool.package.type}:${tool.package.name}@${tool.package.version}`],
        ['transport', tool.transport],
        ['egress', egressOf(tool.egress)],
        ['keeps state', tool.keepsState],
        ['beyond strict', tool.profiles.length === 0 ? undefined : tool.profiles.join(', ')],
        ['docs', tool.docsUrl],
        ...tool.config.map((field): [string, string] => [
          'setting',
          `${field.key} (${field.type}${field.required ? ', required' : ''}): ${field.title}`,
        ]),
      ]),
    )
  },
)
