import { type ProblemKind, problemsOf } from '@agentopia/dtma/contract'

/** Every way a call of the control plane can fail. Add one here, never inline. */
export const PROBLEMS = {
  'invalid-request': {
    status: 400,
    title: 'The request does not match the contract',
    retryable: false,
    fix: 'Correct the fields that the detail names.',
  },
  unauthenticated: {
    status: 401,
    title: 'Nobody is signed in',
    retryable: false,
    fix: 'Sign in, or send a valid token as a bearer token.',
  },
  'sign-in-refused': {
    status: 401,
    title: 'The sign-in was refused',
    retryable: false,
    fix: 'Check e-mail and password, or ask for a new sign-in link.',
  },
  'sign-in-link-used': {
    status: 401,
    title: 'The sign-in link is used or expired',
    retryable: false,
    fix: 'Print a new one with `npm run sign-in-link`.',
  },
  'enrolment-refused': {
    status: 401,
    title: 'The enrolment token is not valid',
    retryable: false,
    fix: 'Create a new enrolment token for this toolbox.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed for this role',
    retryable: false,
    fix: 'Ask an administrator of the account.',
  },
  'cross-site': {
    status: 403,
    title: 'The request came from another site',
    retryable: false,
    fix: 'Open the page under the address that the control plane was given as PUBLIC_URL.',
  },
  'capability-denied': {
    status: 403,
    title: 'The capability is not granted to this agent',
    retryable: false,
    fix: 'Allow the capability in the toolbelt of the agent.',
  },
  'not-found': { status: 404, title: 'No such route', retryable: false, fix: 'See the API reference for the routes.' },
  'toolbox-not-found': {
    status: 404,
    title: 'No such toolbox',
    retryable: false,
    fix: 'List the toolboxes to see which there are.',
  },
  'provider-not-configured': {
    status: 409,
    title: 'The account has no token of this provider',
    retryable: false,
    fix: 'Give one under Settings, or with `agentopia provider set digitalocean`.',
  },
  'provider-in-use': {
    status: 409,
    title: 'Toolboxes of this provider are left',
    retryable: false,
    fix: 'Remove them first: without the token nobody could destroy their machines.',
  },
  'toolbox-limit': {
    status: 409,
    title: 'The account has as many toolboxes as it may have',
    retryable: false,
    fix: 'Remove one, or let an operator of the control plane raise MAX_TOOLBOXES.',
  },
  'not-joinable': {
    status: 409,
    title: 'This toolbox is not joined by hand',
    retryable: false,
    fix: 'Create a toolbox of the provider `join` for a server of your own.',
  },
  'not-retryable': {
    status: 409,
    title: 'There is nothing to try again',
    retryable: false,
    fix: 'Retry a toolbox whose status is error_provisioning.',
  },
  'unreachable-control-plane': {
    status: 409,
    title: 'Other machines cannot reach this control plane',
    retryable: false,
    fix: 'Start it with PUBLIC_URL set to an address that they reach, and HOST=0.0.0.0.',
  },
  'tool-not-found': {
    status: 404,
    title: 'No such tool in the catalogue',
    retryable: false,
    fix: 'List the catalogue to see which there are.',
  },
  'instance-not-found': {
    status: 404,
    title: 'No such tool instance',
    retryable: false,
    fix: 'List the tools of the toolbox.',
  },
  'agent-not-found': { status: 404, title: 'No such agent', retryable: false, fix: 'List the agents.' },
  'toolbelt-item-not-found': {
    status: 404,
    title: 'No such toolbelt item',
    retryable: false,
    fix: "List the agent's toolbelt.",
  },
  'token-not-found': { status: 404, title: 'No such token', retryable: false, fix: 'List the tokens.' },
  'name-taken': { status: 409, title: 'The name is in use', retryable: false, fix: 'Choose another name.' },
  'toolbox-access-missing': {
    status: 409,
    title: 'The agent has no access to that toolbox',
    retryable: false,
    fix: 'Give the agent access to the toolbox first.',
  },
  'instance-in-use': {
    status: 409,
    title: 'Agents still have this tool in their toolbelt',
    retryable: false,
    fix: 'Take it out of their toolbelts, or delete with force.',
  },
  'instance-not-running': {
    status: 409,
    title: 'The tool instance is not running',
    retryable: true,
    fix: 'Start it, or wait until its state is running.',
  },
  superseded: {
    status: 409,
    title: 'A newer run of this DTMA reports already',
    retryable: false,
    fix: 'Only one DTMA may run with this identity; enrol the other anew.',
  },
  'payload-too-large': {
    status: 413,
    title: 'The body is larger than allowed',
    retryable: false,
    fix: 'Send less than the limit that the detail names.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key was used for another request',
    retryable: false,
    fix: 'Use a new key for a new request.',
  },
  'provider-refused': {
    status: 422,
    title: 'The provider refuses this',
    retryable: false,
    fix: 'The detail says what the provider answered.',
  },
  'invalid-config': {
    status: 422,
    title: 'The configuration does not fit the tool',
    retryable: false,
    fix: 'Correct the fields that the detail names; the catalogue entry holds the schema.',
  },
  'unsupported-version': {
    status: 426,
    title: 'This DTMA speaks another version',
    retryable: false,
    fix: 'Update DTMA to the version of the control plane.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    retryable: true,
    fix: 'Retry after the time in Retry-After.',
  },
  internal: {
    status: 500,
    title: 'Unexpected failure',
    retryable: true,
    fix: 'Look up the instance id in the log of the control plane.',
  },
  'tool-failed': {
    status: 502,
    title: 'The tool did not answer as an MCP server should',
    retryable: false,
    fix: 'Read the log of the tool instance.',
  },
  'toolbox-unreachable': {
    status: 503,
    title: 'The toolbox is not connected',
    retryable: true,
    fix: 'Refresh the status of the toolbox: it names the cause and the next step.',
  },
  'image-unavailable': {
    status: 503,
    title: 'The image of DTMA cannot be given out',
    retryable: true,
    fix: 'Retry; the log of the control plane says why.',
  },
  'provider-unavailable': {
    status: 503,
    title: 'The provider does not answer',
    retryable: true,
    fix: 'Retry later; nothing was changed.',
  },
  'store-unavailable': {
    status: 503,
    title: 'The database does not answer',
    retryable: true,
    fix: 'Retry; an operator looks at the log of the control plane.',
  },
  'call-timeout': {
    status: 504,
    title: 'The call did not end in time',
    retryable: false,
    fix: 'The work may have been done: look before you repeat it.',
  },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof PROBLEMS

export const problem = problemsOf(PROBLEMS)
