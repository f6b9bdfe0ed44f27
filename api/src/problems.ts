import { type ProblemKind, problemsOf } from '@agentopia/dtma/contract'
import { CALL_PROBLEMS } from './problems/calls.problems.ts'
import { MACHINE_PROBLEMS } from './problems/machines.problems.ts'
import { TOOL_PROBLEMS } from './problems/tools.problems.ts'

/** Every way a call of the control plane can fail. Add one here or in the file of its subject, never inline. */
export const PROBLEMS = {
  ...MACHINE_PROBLEMS,
  ...TOOL_PROBLEMS,
  ...CALL_PROBLEMS,
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
  'passkey-refused': {
    status: 401,
    title: 'The passkey was not accepted',
    retryable: false,
    fix: 'Try again; if that does not help, sign in another way and make a new passkey under Settings.',
  },
  'sign-on-refused': {
    status: 401,
    title: 'Single sign-on does not let you in',
    retryable: false,
    fix: 'Begin again in this browser; if you are not known here, ask an administrator for an invitation.',
  },
  'authorization-refused': {
    status: 400,
    title: 'The client asks in a way that cannot be answered',
    retryable: false,
    fix: 'Start again from the client; if that does not help, remove the connection there and add it anew.',
  },
  'invitation-used': {
    status: 401,
    title: 'The invitation is used, expired or taken back',
    retryable: false,
    fix: 'Ask who invited you for a new one.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed for this role',
    retryable: false,
    fix: 'Ask an administrator of the account.',
  },
  'presence-needed': {
    status: 403,
    title: 'You have to show that it is you',
    retryable: false,
    fix: 'Give your password, a passkey or your single sign-on once more; who has none of them opens a new sign-in link.',
  },
  'cross-site': {
    status: 403,
    title: 'The request came from another site',
    retryable: false,
    fix: 'Open the page under the address that the control plane was given as PUBLIC_URL.',
  },
  'not-found': { status: 404, title: 'No such route', retryable: false, fix: 'See the API reference for the routes.' },
  'client-not-found': {
    status: 404,
    title: 'No such connected client',
    retryable: false,
    fix: 'List the connected clients of the agent.',
  },
  'member-not-found': {
    status: 404,
    title: 'No such person in the account',
    retryable: false,
    fix: 'List the people.',
  },
  'invitation-not-found': { status: 404, title: 'No such invitation', retryable: false, fix: 'List the invitations.' },
  'session-not-found': { status: 404, title: 'No such session', retryable: false, fix: 'List the sessions.' },
  'token-not-found': { status: 404, title: 'No such token', retryable: false, fix: 'List the tokens.' },
  'passkey-not-found': { status: 404, title: 'No such passkey', retryable: false, fix: 'List the passkeys.' },
  'sign-on-off': {
    status: 404,
    title: 'There is no single sign-on here',
    retryable: false,
    fix: 'Sign in another way; whoever runs the control plane sets OIDC_ISSUER.',
  },
  'sign-on-not-linked': {
    status: 404,
    title: 'You are not linked with single sign-on',
    retryable: false,
    fix: 'There is nothing to unlink.',
  },
  'sign-on-unlinked': {
    status: 409,
    title: 'Your sign-in is not linked with single sign-on',
    retryable: false,
    fix: 'Sign in as before once, and link it under Settings.',
  },
  'password-changed': {
    status: 409,
    title: 'The password was changed at the same moment',
    retryable: false,
    fix: 'If it was not you, set it once more and sign out all other browsers.',
  },
  'last-way-in': {
    status: 409,
    title: 'It is the last way to sign in',
    retryable: false,
    fix: 'Set a password or add another passkey first.',
  },
  'last-owner': {
    status: 409,
    title: 'The account would have no owner',
    retryable: false,
    fix: 'Make another person an owner first.',
  },
  'already-member': {
    status: 409,
    title: 'This person is in the account',
    retryable: false,
    fix: 'Change the role of the person instead.',
  },
  'name-taken': { status: 409, title: 'The name is in use', retryable: false, fix: 'Choose another name.' },
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
  'master-key-missing': {
    status: 503,
    title: 'What is stored does not open without another master key',
    retryable: false,
    fix: 'Whoever runs the control plane starts it with that key in OTHER_MASTER_KEY, too; or enter anew what does not open.',
  },
  'store-unavailable': {
    status: 503,
    title: 'The database does not answer',
    retryable: true,
    fix: 'Retry; an operator looks at the log of the control plane.',
  },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof PROBLEMS

export const problem = problemsOf(PROBLEMS)
