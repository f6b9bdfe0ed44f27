import { type Agent, Name, updateAgent } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { Input, TextArea } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'

export function EditAgent({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const update = useAction(updateAgent)
  const [name, setName] = useState(agent.name)
  const [description, setDescription] = useState(agent.description)
  const valid = Name.safeParse(name).success
  return (
    <Dialog open onClose={onClose} size="small" title={`Change ${agent.name}`}>
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          if (!valid) return
          update.mutate(
            { params: { agentId: agent.id }, body: { name, description: description.trim() } },
            { onSuccess: onClose },
          )
        }}
      >
        <DialogBody>
          <Field
            label="Name"
            required
            problem={valid ? undefined : 'Lower-case letters, digits and inner hyphens, at most 63'}
          >
            {(control) => (
              <Input {...control} spellCheck={false} value={name} onChange={(event) => setName(event.target.value)} />
            )}
          </Field>
          <Field label="What it does">
            {(control) => (
              <TextArea
                {...control}
                maxLength={500}
                rows={3}
                value={description}
                onChange={(event) => setDescription(event.target.value)}
              />
            )}
          </Field>
          {update.error && <ProblemNotice error={update.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" pending={update.isPending}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
