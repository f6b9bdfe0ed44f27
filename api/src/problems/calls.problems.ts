import type { ProblemKind } from '@agentopia/dtma/contract'

/** What can fail with agents, what they may do, and their calls. */
export const CALL_PROBLEMS = {
  'capability-denied': {
    status: 403,
    title: 'The capability is not granted to this agent',
    retryable: false,
    fix: 'Allow the capability in the toolbelt of the agent.',
  },
  'calls-stopped': {
    status: 403,
    title: 'All calls of the account are stopped',
    retryable: false,
    fix: 'An admin lets them go on: Calls, or `agentopia call resume`.',
  },
  'agent-disabled': {
    status: 403,
    title: 'The agent is switched off',
    retryable: false,
    fix: 'Switch it on at its page, or with `agentopia agent enable`.',
  },
  'toolbelt-item-disabled': {
    status: 403,
    title: 'The tool is switched off for this agent',
    retryable: false,
    fix: 'Switch the item on in the toolbelt of the agent, or with `agentopia toolbelt set`.',
  },
  'capability-not-offered': {
    status: 409,
    title: 'The capability is allowed, but its server does not offer it now',
    retryable: false,
    fix: 'Look at the capabilities of the tool instance: it may have been updated, or not have started yet.',
  },
  'capability-changed': {
    status: 409,
    title: 'The server describes the capability otherwise than it did',
    retryable: false,
    fix: 'Compare the definition that was allowed with the present one (toolbelt of the agent, or `agentopia toolbelt review`), and approve it.',
  },
  'approval-denied': {
    status: 403,
    title: 'A person was asked, and said no',
    retryable: false,
    fix: 'Do not repeat the call as it is; ask the person what would be in order.',
  },
  'call-stopped': {
    status: 403,
    title: 'The call was stopped while it was under way',
    retryable: false,
    fix: 'Somebody switched it off or took a right away. The work may have been done: look before you repeat it.',
  },
  'secret-blocked': {
    status: 403,
    title: 'The call carries a secret, or what looks like one, where none is let through',
    retryable: false,
    fix: 'Keep secrets out of what tools are asked and answer. If the detail names the answer, the work was done. Unless it names an address, an administrator may have secrets redacted instead, in the settings of calls.',
  },
  'call-not-found': {
    status: 404,
    title: 'No such call is on record',
    retryable: false,
    fix: 'List the calls; old ones go when the account says so.',
  },
  'payload-not-found': {
    status: 404,
    title: 'What was sent with this call is not kept',
    retryable: false,
    fix: 'Nothing is kept unless the account says so, and then for some days only (settings of calls).',
  },
  'agent-not-found': { status: 404, title: 'No such agent', retryable: false, fix: 'List the agents.' },
  'toolbelt-item-not-found': {
    status: 404,
    title: 'No such toolbelt item',
    retryable: false,
    fix: "List the agent's toolbelt.",
  },
  'approval-not-found': { status: 404, title: 'No such approval', retryable: false, fix: 'List the approvals.' },
  'toolbox-access-missing': {
    status: 409,
    title: 'The agent has no access to that toolbox',
    retryable: false,
    fix: 'Give the agent access to the toolbox first.',
  },
  'call-under-way': {
    status: 409,
    title: 'The call with this key is still under way',
    retryable: true,
    fix: 'Send it again with the same key in a moment; it gets the answer of the first.',
  },
  'approval-settled': {
    status: 409,
    title: 'This was decided already, or cannot be decided any more',
    retryable: false,
    fix: 'List the approvals to see what became of it. A call that is gone has to be made again by its agent.',
  },
  'chain-broken': {
    status: 409,
    title: 'The record of calls is not as it was written',
    retryable: false,
    fix: 'Somebody changed it in the database. Keep a copy, and compare it with an export or a backup from before.',
  },
  'call-made-before': {
    status: 409,
    title: 'The call with this key was made, and its answer is not known',
    retryable: false,
    fix: 'The work may have been done: look before you repeat it with a new key.',
  },
  'data-flow-refused': {
    status: 409,
    title: 'The agent would read private data, see what strangers wrote, and be able to send outwards',
    retryable: false,
    fix: 'Deny one of the three, or give them to different agents. An administrator may say that a capability is none of them, or have agents only warned of, in the settings of calls.',
  },
  'result-too-large': {
    status: 502,
    title: 'The answer is longer than this agent may get',
    retryable: false,
    fix: 'Ask for less, or raise the limit of the agent. The work was done.',
  },
  'circuit-open': {
    status: 503,
    title: 'The tool instance failed too often; it is left alone for a moment',
    retryable: true,
    fix: 'Retry after the time in Retry-After; refresh the status of the toolbox to see the cause.',
  },
  'approval-timeout': {
    status: 504,
    title: 'A person was asked, and nobody answered in time',
    retryable: true,
    fix: 'The call was not made. Make it again when somebody is there who can approve it.',
  },
  'call-timeout': {
    status: 504,
    title: 'The call did not end in time',
    retryable: false,
    fix: 'The work may have been done: look before you repeat it.',
  },
} as const satisfies Record<string, ProblemKind>
