import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/** What the suite gives a client. */
export interface Given {
  /** Address of the suite's server. */
  readonly server: string
  /** Calls that the scenario wants to see, where it says so. */
  readonly context: { readonly toolCalls?: readonly { readonly name: string; readonly arguments: object }[] }
}

const RELAY = fileURLToPath(new URL('./relay.client.ts', import.meta.url))

/** A command that the suite may start as its client: what the client is to do is done here, in the process of the test. */
export async function openRelayed(
  use: (given: Given) => Promise<void>,
): Promise<AsyncDisposable & { readonly command: string; readonly failures: readonly unknown[] }> {
  const failures: unknown[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    try {
      await use(JSON.parse(Buffer.concat(chunks).toString()) as Given)
    } catch (error) {
      failures.push(error)
      response.statusCode = 500
    }
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    command: `${process.execPath} ${RELAY} http://127.0.0.1:${port}/`,
    failures,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
