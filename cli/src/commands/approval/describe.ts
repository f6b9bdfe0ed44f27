import type { Approval } from '@agentopia/api'
import { printable, table } from '../../output.ts'

const COLUMNS = ['id', 'state', 'agent', 'capability', 'asked', 'until', 'who, why'] as const

export const approvalTable = (approvals: readonly Approval[]): string =>
  table(
    COLUMNS,
    approvals.map((one) => [
      one.id,
      one.state,
      one.agentName,
      nameOf(one),
      one.askedAt,
      one.expiresAt,
      [one.decidedBy, one.always ? 'from now on' : undefined, one.reason].filter(Boolean).join(', '),
    ]),
  )

/** One that waits, with what it is to be called with. */
export const approvalText = (one: Approval): string =>
  [
    `${one.id}  ${printable(one.agentName)} wants ${printable(nameOf(one))}${one.destructive ? '  DESTRUCTIVE' : ''}  until ${one.expiresAt}`,
    ...(one.arguments ?? 'Its arguments are shown to operators.').split('\n').map((line) => `  ${printable(line)}`),
  ].join('\n')

/** What became of it. */
export const settledText = (one: Approval): string =>
  `${one.id}  ${one.state}${one.decidedBy ? ` by ${printable(one.decidedBy)}` : ''}: ${printable(nameOf(one))} by ${printable(one.agentName)}`

const nameOf = ({ instanceName, capability }: Approval): string => `${instanceName}__${capability}`
