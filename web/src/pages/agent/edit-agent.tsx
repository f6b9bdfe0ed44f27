import { type Agent, updateAgent } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { isName, NameField } from '../../parts/name-field.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { DescriptionField } from './description-field.tsx'

export function EditAgent({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const update = useAction(updateAgent)
  const [name, setName] = useState(agent.name)
  const [description, setDescription] = useState(agent.description)
  const valid = isName(name)
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
          <NameField value={name} onChange={setName} tried />
          <DescriptionField value={description} onChange={setDescription} rows={3} />
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
