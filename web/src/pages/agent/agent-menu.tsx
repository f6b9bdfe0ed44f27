import { type Agent, removeAgent } from '@agentopia/api'
import { useNavigate } from '@tanstack/react-router'
import { Copy, Ellipsis, Gauge, PenLine, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { Menu, MenuItem, MenuSeparator } from '../../parts/menu.tsx'
import { notify } from '../../shell/notices.ts'
import { EditAgent } from './edit-agent.tsx'
import { LimitAgent } from './limit-agent.tsx'

export function AgentMenu({ agent }: { agent: Agent }) {
  const [open, setOpen] = useState<'edit' | 'limit' | 'remove'>()
  const navigate = useNavigate()
  const remove = useAction(removeAgent)
  const mayEdit = useMay('operator')
  const mayRemove = useMay('admin')
  const close = () => {
    remove.reset()
    setOpen(undefined)
  }
  return (
    <>
      <Menu
        trigger={
          <Button size="icon" aria-label={`More for ${agent.name}`}>
            <Ellipsis />
          </Button>
        }
      >
        <MenuItem disabled={!mayEdit} onSelect={() => setOpen('edit')}>
          <PenLine />
          Rename or describe
        </MenuItem>
        <MenuItem disabled={!mayEdit} onSelect={() => setOpen('limit')}>
          <Gauge />
          Limit calls
        </MenuItem>
        <MenuItem
          onSelect={() =>
            void navigator.clipboard?.writeText(agent.id).then(() => notify({ tone: 'ok', text: 'The id is copied' }))
          }
        >
          <Copy />
          Copy id
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger disabled={!mayRemove} onSelect={() => setOpen('remove')}>
          <Trash2 />
          Remove
        </MenuItem>
      </Menu>
      {open === 'edit' && <EditAgent agent={agent} onClose={close} />}
      {open === 'limit' && <LimitAgent agent={agent} onClose={close} />}
      <ConfirmByName
        open={open === 'remove'}
        onClose={close}
        title={`Remove ${agent.name}`}
        name={agent.name}
        verb="Remove"
        pending={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate(
            { params: { agentId: agent.id } },
            {
              onSuccess: () => {
                notify({ tone: 'ok', text: `${agent.name} is removed` })
                void navigate({ to: '/agents' })
              },
            },
          )
        }
      >
        Its tokens stop working at once, and its toolbelt is gone. Its calls stay on record.
      </ConfirmByName>
    </>
  )
}
