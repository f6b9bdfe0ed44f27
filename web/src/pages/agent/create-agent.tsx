import { createAgent } from '@agentopia/api'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { isName, NameField } from '../../parts/name-field.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { DescriptionField } from './description-field.tsx'

export function CreateAgent({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const create = useAction(createAgent)
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [tried, setTried] = useState(false)
  const valid = isName(name)
  return (
    <Dialog
      open
      onClose={onClose}
      size="small"
      title="Register an agent"
      description="It starts with nothing: no toolbox, no tool, no token."
    >
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          setTried(true)
          if (!valid) return
          create.mutate(
            { body: { name, description: description.trim() } },
            {
              onSuccess: ({ id }) =>
                void navigate({ to: '/agents/$agentId/{-$tab}', params: { agentId: id, tab: undefined } }),
            },
          )
        }}
      >
        <DialogBody>
          <NameField
            value={name}
            onChange={setName}
            tried={tried}
            hint="Lower-case letters, digits and inner hyphens"
            placeholder="research-assistant"
            autoFocus
          />
          <DescriptionField value={description} onChange={setDescription} rows={2} />
          {create.error && <ProblemNotice error={create.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" pending={create.isPending}>
            Register
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
