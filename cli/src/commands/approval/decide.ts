import { decideApproval } from '@agentopia/api'
import { command } from '../../command.ts'
import { settledText } from './describe.ts'

const APPROVAL = { approval: { type: 'positional', description: 'Id of the approval', required: true } } as const

export const approvalApprove = command(
  'approve',
  'Let a waiting call be made',
  {
    ...APPROVAL,
    always: {
      type: 'boolean',
      description: 'And ask no more for this capability of this agent; what else waits for it is made, too',
      default: false,
    },
  },
  async ({ client, args, output }) => {
    const body = { decision: 'approve', always: args.always } as const
    output.result(await client.call(decideApproval, { params: { approvalId: args.approval }, body }), settledText)
  },
)

export const approvalDeny = command(
  'deny',
  'Refuse a waiting call',
  { ...APPROVAL, reason: { type: 'string', description: 'Why; told to the agent', default: '' } },
  async ({ client, args, output }) => {
    const body = { decision: 'deny', reason: args.reason } as const
    output.result(await client.call(decideApproval, { params: { approvalId: args.approval }, body }), settledText)
  },
)
