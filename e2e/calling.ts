import type { NewAgent } from './agent.ts'
import { connectMcp, textOf } from './mcp-client.ts'

/**
 * Calls one after the other by one client, until it is stopped.
 * @param echo That says its `message` again.
 * @returns What stops it, and tells how many were answered and what the others said.
 */
export function calling({ mcpUrl, token }: NewAgent, echo: string) {
  let isOver = false
  const failures: string[] = []
  let answered = 0
  const work = (async () => {
    const client = await connectMcp(mcpUrl, token)
    try {
      while (!isOver) {
        const message = `call ${answered}`
        const said = await client.callTool({ name: echo, arguments: { message } }).then(textOf, String)
        if (said.includes(message)) answered += 1
        else failures.push(said)
      }
    } finally {
      await client.close()
    }
  })()
  return async () => {
    isOver = true
    await work
    return { answered, failures }
  }
}
