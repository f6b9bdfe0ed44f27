import { connectSnippets, getInfo } from '@agentopia/api'
import { command } from '../../command.ts'
import { ONE_CLIENT, snippetLines } from '../snippets.ts'

/** Stands where the secret comes. */
const PLACEHOLDER = 'YOUR_API_TOKEN'

/** No token is made: that is for a person at the page, who says what it may do. */
export const operatorConnect = command(
  'connect',
  'Print a client configuration with which a model runs the control plane; the API token is made under Settings',
  ONE_CLIENT,
  async ({ client, args, output, settings }) => {
    const { operatorUrl } = await client.call(getInfo, {})
    const snippets = connectSnippets({ name: 'operator', url: operatorUrl, secret: PLACEHOLDER })
    output.result({ operatorUrl, snippets }, () =>
      [
        `MCP endpoint of operators: ${operatorUrl}`,
        `Instead of ${PLACEHOLDER} comes an API token from ${settings.url}/settings. What the model may do is what its role may: a viewer only reads.`,
        ...snippetLines(snippets, args.client),
      ].join('\n'),
    )
  },
)
