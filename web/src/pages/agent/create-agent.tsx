import { createAgent, Name } from '@agentopia/api'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { Input, TextArea } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'

export function CreateAgent({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const create = useAction(createAgent)
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [tried, setTried] = useState(false)
  const valid = Name.safeParse(name).success
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
          <Field
            label="Name"
            required
            hint="Lower-case letters, digits and inner hyphens"
            problem={tried && !valid ? 'Lower-case letters, digits and inner hyphens, at most 63' : undefined}
          >
            {(control) => (
              <Input
                {...control}
                autoFocus
                spellCheck={false}
                placeholder="research-assistant"
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          <Field label="What it does">
            {(control) => (
              <TextArea
                {...control}
                maxLength={500}
                rows={2}
                value={description}
                onChange={(event) => setDescription(event.target.value)}
              />
            )}
          </Field>
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
