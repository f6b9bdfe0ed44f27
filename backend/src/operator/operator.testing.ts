import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Role } from '@agentopia/api'
import { insertApiToken } from '../accounts/api-token.store.ts'
import { furnish, ORIGIN, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { ownNames } from '../http/same-site.ts'
import { OPERATOR_PATH } from './operator.endpoint.ts'

export type TestOperators = Awaited<ReturnType<typeof openTestOperators>>

/** What an answer holds; which of both, the test knows. */
interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly id: unknown
  readonly result: {
    readonly isError?: boolean
    readonly content: readonly { readonly type: string; readonly text: string }[]
    readonly structuredContent: Readonly<Record<string, unknown>>
    readonly tools: readonly { readonly name: string; readonly annotations: { readonly readOnlyHint: boolean } }[]
    readonly [more: string]: unknown
  }
  readonly error: { readonly code: number; readonly message: string }
}

/** A whole control plane behind a socket, and accounts with one of everything whose people have tokens. */
export async function openTestOperators() {
  let plane: TestControlPlane | undefined
  const server = createServer((request, response) => plane?.listener(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://localhost:${port}`
  const names = [ORIGIN, origin].map((one) => ownNames({ host: '127.0.0.1', port }, one))
  plane = await openTestControlPlane(undefined, {
    own: {
      hosts: new Set(names.flatMap(({ hosts }) => [...hosts])),
      origins: new Set(names.flatMap(({ origins }) => [...origins])),
    },
  })
  const { store, close, request } = plane
  const url = origin + OPERATOR_PATH

  /** One POST, as no client library would send it. */
  async function post(
    token: string | undefined,
    body: string | object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, ...(text === '' ? {} : JSON.parse(text)) }
  }

  const rpc = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params })

  return {
    store,
    request,
    url,
    origin,
    post,
    rpc,
    call: (token: string, name: string, args: object = {}, meta?: object) =>
      post(token, rpc('tools/call', { name, arguments: args, ...(meta ? { _meta: meta } : {}) })),
    /** An account with one of everything; tokens of its owner, by their roles; and the browser of the owner. */
    async account(accountId: string) {
      const { userId, ...browser } = await signedIn(plane!, accountId, 'owner')
      const { ids, agent } = await furnish(store, accountId, userId)
      const tokenOf = (role: Exclude<Role, 'owner'>, expiresInDays?: number) =>
        store.system((tx) => insertApiToken(tx, { accountId, userId, name: role, role, expiresInDays }))
      const [viewer, operator, admin] = [
        (await tokenOf('viewer')).secret,
        (await tokenOf('operator')).secret,
        (await tokenOf('admin')).secret,
      ]
      return {
        accountId,
        userId,
        ids,
        viewer,
        operator,
        admin,
        tokenOf,
        browser: browser as Record<string, string>,
        agent,
      }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await close()
    },
  }
}
