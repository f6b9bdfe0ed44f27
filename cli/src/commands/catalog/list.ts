import { listCatalog } from '@agentopia/api'
import { command } from '../../command.ts'
import { allPages } from '../../find.ts'
import { table } from '../../output.ts'

export const catalogList = command(
  'list',
  'List the catalogue',
  { search: { type: 'string', description: 'Words that must occur' } },
  async ({ client, args, output }) => {
    const tools = await allPages((cursor) =>
      client.call(listCatalog, { query: { limit: 200, cursor, search: args.search } }),
    )
    output.result(tools, (all) =>
      table(
        ['id', 'title', 'package', 'transport', 'summary'],
        all.map((tool) => [
          tool.id,
          tool.title,
          `${tool.package.name}@${tool.package.version}`,
          tool.transport,
          tool.summary,
        ]),
      ),
    )
  },
)
