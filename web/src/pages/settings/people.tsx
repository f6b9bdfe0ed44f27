import {
  changeMemberRole,
  type Invitation,
  listInvitations,
  listMembers,
  type Member,
  removeMember,
  revokeInvitation,
} from '@agentopia/api'
import { UserPlus } from 'lucide-react'
import { useState } from 'react'
import { includesRole, useMay, useMe } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { Select } from '../../parts/select.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { Cell, Row, Table, unseen } from '../../parts/table.tsx'
import { InvitePerson } from './invite-person.tsx'
import { isRole, ROLES } from './roles.ts'

const PEOPLE = [
  ['person', 'Person'],
  ['role', 'Role'],
  ['joined', 'Joined', 'text-right'],
  ['remove', unseen('Remove')],
] as const

const INVITED = [
  ['address', 'Invited'],
  ['role', 'Role'],
  ['until', 'Open until', 'text-right'],
  ['revoke', unseen('Take back')],
] as const

/** Who is in the account, who is invited, and what they may do. */
export function People() {
  const people = useOperation(listMembers, {})
  const may = useMay('admin')
  const [inviting, setInviting] = useState(false)
  return (
    <Card className="overflow-hidden">
      <CardHeader title="People" note="of this account">
        {may && (
          <Button size="small" onClick={() => setInviting(true)}>
            <UserPlus />
            Invite somebody
          </Button>
        )}
      </CardHeader>
      <Reading of={people} skeleton={<SkeletonRows rows={2} className="p-4" />}>
        {({ items }) => <Members members={items} may={may} />}
      </Reading>
      {may && <Invitations />}
      {inviting && <InvitePerson onClose={() => setInviting(false)} />}
    </Card>
  )
}

function Members({ members, may }: { members: readonly Member[]; may: boolean }) {
  const me = useMe()
  const change = useAction(changeMemberRole)
  const remove = useAction(removeMember)
  const [leaving, setLeaving] = useState<Member>()
  return (
    <>
      {change.error && <ProblemNotice error={change.error} className="m-4" />}
      <Table label="People" columns={PEOPLE}>
        {members.map((member) => {
          const reachable = may && me !== undefined && includesRole(me.role, member.role)
          return (
            <Row key={member.id}>
              <Cell className="min-w-40">
                <span className="font-medium">{member.name}</span>
                {me?.user.id === member.id && <span className="text-ink-faint"> (you)</span>}
                <span className="wrap-anywhere block text-ink-soft text-xs">{member.email}</span>
              </Cell>
              <Cell className="w-44">
                {reachable ? (
                  <Select
                    aria-label={`Role of ${member.email}`}
                    value={member.role}
                    disabled={change.isPending}
                    onChange={(role) =>
                      isRole(role) && change.mutate({ params: { userId: member.id }, body: { role } })
                    }
                    options={ROLES.map(([value]) => ({
                      value,
                      label: value,
                      disabled: !includesRole(me.role, value),
                    }))}
                  />
                ) : (
                  <span className="text-ink-soft">{member.role}</span>
                )}
              </Cell>
              <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
                <RelativeTime at={member.joinedAt} />
              </Cell>
              <Cell className="text-right">
                {reachable && (
                  <Button kind="danger" size="small" onClick={() => setLeaving(member)}>
                    Remove
                  </Button>
                )}
              </Cell>
            </Row>
          )
        })}
      </Table>
      <ConfirmByName
        open={leaving !== undefined}
        onClose={() => {
          remove.reset()
          setLeaving(undefined)
        }}
        title={`Remove ${leaving?.email ?? 'the person'}`}
        name={leaving?.email ?? ''}
        verb="Remove"
        pending={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          leaving && remove.mutate({ params: { userId: leaving.id } }, { onSuccess: () => setLeaving(undefined) })
        }
      >
        The person is out at once, with every API token and every client that acts by the person’s word. Agents and what
        they did stay.
      </ConfirmByName>
    </>
  )
}

function Invitations() {
  const open = useOperation(listInvitations, {})
  const revoke = useAction(revokeInvitation)
  if (!open.data?.items.length) return open.error ? <ProblemNotice error={open.error} className="m-4" /> : null
  return (
    <div className="border-line border-t">
      {revoke.error && <ProblemNotice error={revoke.error} className="m-4" />}
      <Table label="Open invitations" columns={INVITED}>
        {open.data.items.map((invitation: Invitation) => (
          <Row key={invitation.id}>
            <Cell className="wrap-anywhere">{invitation.email}</Cell>
            <Cell className="text-ink-soft">{invitation.role}</Cell>
            <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
              <RelativeTime at={invitation.expiresAt} />
            </Cell>
            <Cell className="text-right">
              <Button
                size="small"
                disabled={revoke.isPending}
                onClick={() => revoke.mutate({ params: { invitationId: invitation.id } })}
              >
                Take back
              </Button>
            </Cell>
          </Row>
        ))}
      </Table>
    </div>
  )
}
