import { createInvitation, type Reply, type Role } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { SecretOnce } from '../../parts/secret-once.tsx'
import { RoleField } from './role-field.tsx'
import { ROLES } from './roles.ts'

/** Makes a link for somebody; it is handed over by whoever made it, for nothing is sent from here. */
export function InvitePerson({ onClose }: { onClose: () => void }) {
  const invite = useAction(createInvitation)
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('operator')
  const [made, setMade] = useState<Reply<typeof createInvitation>>()
  if (made)
    return (
      <SecretOnce
        title={`Invite ${made.invitation.email}`}
        description="Send this link to that person, by a way on which nobody else reads. It works once, within a week."
        secret={made.link}
        what="the link"
        onClose={onClose}
      />
    )
  return (
    <Dialog open onClose={onClose} size="small" title="Invite somebody" description="You get a link to hand over.">
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          invite.mutate({ body: { email: email.trim(), role } }, { onSuccess: setMade })
        }}
      >
        <DialogBody>
          <Field label="E-mail" required hint="The address that the person will sign in with">
            {(control) => (
              <Input
                {...control}
                autoFocus
                type="email"
                required
                value={email}
                onChange={(event) => setEmail(event.target.value)}
              />
            )}
          </Field>
          <RoleField roles={ROLES} value={role} onChange={setRole} />
          {invite.error && <ProblemNotice error={invite.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" pending={invite.isPending}>
            Make the link
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
