import { command } from '../../command.ts'
import { findInstance } from '../../find.ts'
import { facts } from '../../output.ts'
import { PLACE } from './place.ts'

export const toolShow = command('show', 'Show one deployed tool', PLACE, async ({ client, args, output }) => {
  output.result(await findInstance(client, args.tool), (one) =>
    facts([
      ['name', one.name],
      ['id', one.id],
      ['from', one.toolId],
      ['desired', `${one.desired} (generation ${one.generation})`],
      ['state', one.state],
      ['reason', one.reason],
      ['message', one.message],
      ['since', one.since],
      ['restarts', one.restarts],
      ['image', one.image],
      ['server', one.server && `${one.server.name} ${one.server.version} (MCP ${one.server.protocolVersion})`],
      ['capabilities', one.capabilityCount],
    ]),
  )
})
