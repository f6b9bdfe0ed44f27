import * as userApi from '@agentopia/api'
import * as dtmaApi from '@agentopia/dtma/contract'
import { schemasIn } from './json-schema.ts'
import type { ApiDescription } from './open-api.ts'

const bearer = (description: string) => ({ type: 'http', scheme: 'bearer', description })

/** The control plane: what people and programs call, and what DTMA calls. */
export const controlPlaneApi = (version: string): ApiDescription => ({
  title: 'Agentopia Toolboxes: the API of the control plane',
  description: [
    'Every failure is a problem document (RFC 9457); the codes are explained in `docs/problems.md`.',
    'MCP clients connect to `/mcp`, and DTMA opens its tunnel at `GET /dtma/tunnel`: both are protocols of their own, described in `docs/protocol.md`.',
  ].join(' '),
  version,
  server: 'http://localhost:3000',
  operations: [...userApi.OPERATIONS, ...dtmaApi.UPLINK_OPERATIONS],
  problems: userApi.PROBLEMS,
  commonProblems: ({ auth, params, query, body }) => [
    ...(params || query || body ? ['invalid-request'] : []),
    ...(body ? ['payload-too-large'] : []),
    ...(auth === 'enrolment' || auth === 'identity' ? [] : auth === 'dtma' ? ['rate-limited'] : ['cross-site']),
    // A token that is not valid is refused where none is needed, too.
    ...(auth === 'enrolment' || auth === 'identity' ? [] : ['unauthenticated']),
    ...(['viewer', 'operator', 'admin', 'agent'].includes(auth) ? ['forbidden'] : []),
    'internal',
    'master-key-missing',
    'store-unavailable',
  ],
  securitySchemes: {
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: 'agentopia-session',
      description: 'Set by signing in. Under https its name begins with `__Host-`.',
    },
    apiToken: bearer('A token of a person, `tbx_…`, with a role of its own.'),
    agentToken: bearer('A token of an agent, `agt_…`.'),
    dtma: bearer('The `DTMA_BEARER_TOKEN` that the toolbox got when it enrolled.'),
  },
  security: {
    none: { anyOf: [], words: 'Needs nothing.' },
    viewer: { anyOf: ['session', 'apiToken'], words: 'Needs the role `viewer`.' },
    operator: { anyOf: ['session', 'apiToken'], words: 'Needs the role `operator`.' },
    admin: { anyOf: ['session', 'apiToken'], words: 'Needs the role `admin`.' },
    agent: { anyOf: ['agentToken', 'session', 'apiToken'], words: 'For the agent itself, or the role `operator`.' },
    identity: { anyOf: [], words: 'The key of the enrolment signs the body.' },
    enrolment: { anyOf: [], words: 'The single-use enrolment token stands in the body.' },
    dtma: { anyOf: ['dtma'], words: 'For the DTMA of a toolbox.' },
  },
  tagOf: ({ path }) => {
    const [, first = '', second = ''] = path.split('/')
    if (first === 'dtma') return 'uplink'
    if (path.includes('/tools')) return path.includes('/agents/') ? 'agents' : 'tool instances'
    return { 'toolboxes-user': 'toolboxes', session: 'accounts', me: 'accounts', tokens: 'accounts' }[second] ?? second
  },
  schemas: new Map([...schemasIn(dtmaApi), ...schemasIn(userApi)]),
})

/** DTMA: port 30000, and the same inside the tunnel. */
export const toolboxApi = (version: string): ApiDescription => ({
  title: 'DTMA: the API of a toolbox',
  description: [
    'Served on port 30000 and inside the tunnel alike.',
    'Every failure is a problem document (RFC 9457); the codes are explained in `docs/problems.md`.',
    '`/tools/{name}/mcp` speaks MCP (streamable HTTP) with the server of one tool and is described in `docs/protocol.md`.',
  ].join(' '),
  version,
  server: 'http://127.0.0.1:30000',
  operations: dtmaApi.DTMA_OPERATIONS,
  problems: dtmaApi.DTMA_PROBLEMS,
  commonProblems: ({ auth, path, params, query, body }) => [
    ...(params || query || body ? ['invalid-request'] : []),
    ...(body ? ['payload-too-large'] : []),
    ...(auth === 'none' ? [] : ['unauthenticated', 'unconfigured']),
    'internal',
    ...(path.startsWith('/tools') ? ['engine-unavailable', 'state-not-writable'] : []),
  ],
  securitySchemes: { toolbox: bearer('The `BACKEND_TO_DTMA_API_KEY` of this toolbox.') },
  security: {
    none: { anyOf: [], words: 'Needs nothing.' },
    toolbox: { anyOf: ['toolbox'], words: 'Needs the key of this toolbox.' },
  },
  tagOf: ({ path }) => (path.startsWith('/tools') ? 'tools' : 'toolbox'),
  schemas: schemasIn(dtmaApi),
})
