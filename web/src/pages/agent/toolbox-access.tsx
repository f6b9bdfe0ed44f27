import {
  type Agent,
  grantToolboxAccess,
  listToolbelt,
  listToolboxes,
  revokeToolboxAccess,
  type Toolbox,
} from '@agentopia/api'
import { useId, useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { Switch } from '../../parts/switch.tsx'
import { notify } from '../../shell/notices.ts'
import { count } from '../../words/quantity.ts'
import { statusWords, toneOfToolbox } from '../../words/toolbox-status.ts'

/** The machines whose tools an agent may have in its toolbelt. */
export function ToolboxAccess({ agent }: { agent: Agent }) {
  const toolboxes = useOperation(listToolboxes, { query: {} })
  return (
    <Card>
      <CardHeader title="Toolbox access" />
      <Reading of={toolboxes} skeleton={<SkeletonRows rows={3} className="p-4" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="p-4 text-ink-faint">There is no toolbox yet.</p>
          ) : (
            <ul className="divide-y divide-line">
              {items
                .filter(({ status }) => status !== 'deprovisioned')
                .map((toolbox) => (
                  <Access key={toolbox.id} agent={agent} toolbox={toolbox} />
                ))}
            </ul>
          )
        }
      </Reading>
    </Card>
  )
}

function Access({ agent, toolbox }: { agent: Agent; toolbox: Toolbox }) {
  const id = useId()
  const may = useMay('operator')
  const grant = useAction(grantToolboxAccess)
  const revoke = useAction(revokeToolboxAccess)
  const toolbelt = useOperation(listToolbelt, { params: { agentId: agent.id } })
  const [confirming, setConfirming] = useState(false)
  const input = { params: { agentId: agent.id, toolboxId: toolbox.id } }
  const onError = (error: Error) => notify({ tone: 'bad', text: '', error })
  const lost = toolbelt.data?.items.filter(({ toolboxId }) => toolboxId === toolbox.id).length ?? 0

  function set(allowed: boolean): void {
    if (allowed) grant.mutate(input, { onError })
    else if (lost > 0) setConfirming(true)
    else revoke.mutate(input, { onError })
  }

  return (
    <li className="flex items-center gap-3 px-4 py-2.5">
      <Glyph tone={toneOfToolbox(toolbox)} />
      <label htmlFor={id} className="min-w-0 flex-1">
        <span className="block truncate font-medium">{toolbox.name}</span>
        <span className="block text-ink-faint text-xs">{statusWords(toolbox)}</span>
      </label>
      <Switch
        id={id}
        aria-label={`Access to ${toolbox.name}`}
        checked={agent.toolboxIds.includes(toolbox.id)}
        pending={grant.isPending || revoke.isPending}
        disabled={!may}
        onCheckedChange={set}
      />
      <ConfirmByName
        open={confirming}
        onClose={() => setConfirming(false)}
        title={`Take ${toolbox.name} from ${agent.name}`}
        name={toolbox.name}
        verb="Take away"
        pending={revoke.isPending}
        error={revoke.error}
        onConfirm={() => revoke.mutate(input, { onSuccess: () => setConfirming(false) })}
      >
        {count(lost, 'tool')} on it {lost === 1 ? 'leaves' : 'leave'} its toolbelt, with the permissions that were
        given.
      </ConfirmByName>
    </li>
  )
}
