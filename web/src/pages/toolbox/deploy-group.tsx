import { createGroup, listCatalog, listInstances } from '@agentopia/api'
import { type FormEvent, useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { isName, NameField } from '../../parts/name-field.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Select } from '../../parts/select.tsx'
import { notify } from '../../shell/notices.ts'
import { GroupMemberFields } from './group-member-fields.tsx'
import { type DraftMember, draftOf, membersOf, othersOf, withChanged, without } from './group-members.ts'

/** Several tools at once: what they are called, and which of them is ready before which. */
export function DeployGroup({ toolboxId, onClose }: { toolboxId: string; onClose: () => void }) {
  const deploy = useAction(createGroup)
  const catalog = useOperation(listCatalog, { query: { limit: 200 } })
  const instances = useOperation(listInstances, { params: { toolboxId }, query: { limit: 200 } })
  const [name, setName] = useState('')
  const [drafts, setDrafts] = useState<readonly DraftMember[]>([])
  const [nextKey, setNextKey] = useState(1)
  const [tried, setTried] = useState(false)
  const tools = catalog.data?.items ?? []
  const there = instances.data?.items.map((instance) => instance.name) ?? []

  function add(toolId: string): void {
    const tool = tools.find(({ id }) => id === toolId)
    if (!tool) return
    setDrafts([...drafts, draftOf(nextKey, tool, [...there, ...drafts.map((draft) => draft.name)])])
    setNextKey(nextKey + 1)
  }

  function submit(event: FormEvent): void {
    event.preventDefault()
    setTried(true)
    const members = membersOf(drafts)
    if (!members || members.length === 0 || ![name, ...members.map((member) => member.name)].every(isName)) return
    deploy.mutate(
      { params: { toolboxId }, body: { name, members } },
      {
        onSuccess: () => {
          notify({ tone: 'busy', text: `${name} is being deployed` })
          onClose()
        },
      },
    )
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title="Deploy a group"
      description="Tools that belong together: deployed in the order of their needs, all of them or none."
      size="wide"
    >
      <form className="contents" onSubmit={submit}>
        <DialogBody>
          <div className="grid gap-4 sm:grid-cols-2">
            <NameField label="Name of the group" value={name} onChange={setName} tried={tried} autoFocus />
            <Field
              label="Add a tool"
              problem={tried && drafts.length === 0 ? 'A group has at least one tool' : undefined}
            >
              {(control) => (
                <Select
                  {...control}
                  value={undefined}
                  onChange={add}
                  placeholder="Choose from the catalogue"
                  options={tools.map(({ id, title, publisher }) => ({ value: id, label: title, note: publisher }))}
                />
              )}
            </Field>
          </div>
          {drafts.map((draft) => (
            <GroupMemberFields
              key={draft.key}
              draft={draft}
              others={othersOf(draft, drafts, there)}
              tried={tried}
              onChange={(changed) => setDrafts(withChanged(drafts, changed))}
              onRemove={() => setDrafts(without(drafts, draft))}
            />
          ))}
          {deploy.error && <ProblemNotice error={deploy.error} />}
        </DialogBody>
        <DialogActions>
          <p className="mr-auto text-ink-faint text-xs max-sm:hidden">
            When one does not come up, the others are taken back.
          </p>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" pending={deploy.isPending}>
            Deploy
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
