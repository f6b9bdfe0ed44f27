import { type ProblemKind, problemsOf } from './problem.ts'

/** Every way a call of the DTMA API can fail. Add one here, never inline. */
export const DTMA_PROBLEMS = {
  'invalid-request': {
    status: 400,
    title: 'The request does not match the contract',
    retryable: false,
    fix: 'Correct the fields that the detail names.',
  },
  unauthenticated: {
    status: 401,
    title: 'The key is not the key of this toolbox',
    retryable: false,
    fix: 'Send the BACKEND_TO_DTMA_API_KEY of this toolbox as a bearer token.',
  },
  'tls-required': {
    status: 403,
    title: 'This is not answered in the clear',
    retryable: false,
    fix: 'Use https. The key that was sent was readable on the way: enrol this toolbox anew.',
  },
  'not-found': {
    status: 404,
    title: 'No such route',
    retryable: false,
    fix: 'See the DTMA API reference for the routes.',
  },
  'tool-not-found': {
    status: 404,
    title: 'No such tool on this toolbox',
    retryable: false,
    fix: 'List the tools with GET /tools.',
  },
  'group-not-found': {
    status: 404,
    title: 'No such group on this toolbox',
    retryable: false,
    fix: 'List the groups with GET /groups.',
  },
  'group-exists': {
    status: 409,
    title: 'A group of this id exists',
    retryable: false,
    fix: 'Remove it first, or send what was sent before.',
  },
  'tool-exists': {
    status: 409,
    title: 'A tool of this name exists',
    retryable: false,
    fix: 'Use PUT /tools/{name} to change it.',
  },
  'stale-generation': {
    status: 409,
    title: 'A newer generation was accepted already',
    retryable: false,
    fix: 'Read the tool again and send a higher generation.',
  },
  'tool-not-running': {
    status: 409,
    title: 'The tool is not running',
    retryable: true,
    fix: 'Start the tool, or wait until its state is running.',
  },
  'release-untrusted': {
    status: 403,
    title: 'The release is not signed by the control plane that this toolbox belongs to',
    retryable: false,
    fix: 'Send the release as the control plane signed it; after a change of its key, enrol the toolbox anew.',
  },
  'release-not-newer': {
    status: 409,
    title: 'The release is not newer than the DTMA that runs',
    retryable: false,
    fix: 'Send a release of a higher version.',
  },
  'keys-given': {
    status: 409,
    title: 'The credentials of this DTMA were given in its environment',
    retryable: false,
    fix: 'Put others into its environment and restart it, or remove them and enrol it with a token.',
  },
  'road-not-possible': {
    status: 409,
    title: 'The port of DTMA cannot be opened for this road',
    retryable: true,
    fix: 'Read why: stop what has the port, or set HOST and PORT of DTMA to what it may have.',
  },
  'update-running': {
    status: 409,
    title: 'Another update is under way',
    retryable: true,
    fix: 'Wait until it is over.',
  },
  'update-unavailable': {
    status: 409,
    title: 'This DTMA cannot replace itself',
    retryable: false,
    fix: 'Update it the way it was installed: run the install script again.',
  },
  'payload-too-large': {
    status: 413,
    title: 'The body is larger than allowed',
    retryable: false,
    fix: 'Send less than the limit that the detail names.',
  },
  'too-busy': {
    status: 429,
    title: 'Too many calls are waiting for this tool',
    retryable: true,
    fix: 'Retry after a pause.',
  },
  internal: {
    status: 500,
    title: 'Unexpected failure',
    retryable: true,
    fix: 'Look up the instance id in the log of DTMA.',
  },
  'tool-protocol-error': {
    status: 502,
    title: 'The tool did not speak MCP',
    retryable: false,
    fix: 'Read the logs of the tool.',
  },
  'engine-unavailable': {
    status: 503,
    title: 'Docker does not answer',
    retryable: true,
    fix: 'Start Docker on the toolbox; DTMA retries by itself.',
  },
  'state-not-writable': {
    status: 503,
    title: 'DTMA cannot write its state directory',
    retryable: true,
    fix: 'Free disk space on the toolbox, or make the directory DTMA_STATE_DIR writable.',
  },
  unconfigured: {
    status: 503,
    title: 'This DTMA has no keys yet',
    retryable: true,
    fix: 'Enrol it, or set BACKEND_TO_DTMA_API_KEY and DTMA_BEARER_TOKEN.',
  },
  'tool-lost': {
    status: 502,
    title: 'The tool went away while it was asked, and may have done it',
    retryable: false,
    fix: 'Find out whether it was done before asking again; the logs of the tool may say why it ended.',
  },
  'tool-timeout': {
    status: 504,
    title: 'The tool did not answer in time',
    retryable: false,
    fix: 'Read the logs of the tool; raise the deadline if the work is long.',
  },
} as const satisfies Record<string, ProblemKind>

export type DtmaProblemCode = keyof typeof DTMA_PROBLEMS

export const problem = problemsOf(DTMA_PROBLEMS)
