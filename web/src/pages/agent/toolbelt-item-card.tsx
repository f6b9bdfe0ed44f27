import { removeToolbeltItem, type ToolbeltItem, updateToolbeltItem } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { Switch } from '../../parts/switch.tsx'
import { notify } from '../../shell/notices.ts'
import { allowedOf } from '../../words/permissions.ts'
import { AskPatterns } from './ask-patterns.tsx'
import { ChangedCapabilities } from './changed-capabilities.tsx'
import { CredentialPanel } from './credential-panel.tsx'
import { PermissionMatrix } from './permission-matrix.tsx'
import { ToolbeltSwitches } from './toolbelt-switches.tsx'

/** One tool in a toolbelt: on or off, and what of it is allowed. */
export function ToolbeltItemCard({ item, agentName }: { item: ToolbeltItem; agentName: string }) {
  const may = useMay('operator')
  const update = useAction(updateToolbeltItem)
  const remove = useAction(removeToolbeltItem)
  const [removing, setRemoving] = useState(false)
  const params = { agentId: item.agentId, toolbeltItemId: item.id }
  const allowed = allowedOf(item.permissions).size
  const asked = item.permissions.filter(({ ask }) => ask).length
  return (
    <Card className="overflow-hidden">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-line border-b px-4 py-3">
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-semibold text-base">
            <Link
              to="/toolboxes/$toolboxId/tools/$instanceId/{-$tab}"
              params={{ toolboxId: item.toolboxId, instanceId: item.instanceId, tab: undefined }}
              className="underline-offset-2 hover:underline"
            >
              {item.instanceName}
            </Link>
          </h2>
          <p className="text-ink-faint text-xs tabular-nums">
            {allowed} of {item.permissions.length} capabilities allowed
            {asked > 0 && `, ${asked} of them asked for`}
            {item.enabled ? '' : ', switched off'}
          </p>
        </div>
        <span className="flex items-center gap-2 text-ink-soft text-xs">
          {item.enabled ? 'On' : 'Off'}
          <Switch
            aria-label={`${item.instanceName} on or off`}
            checked={item.enabled}
            pending={update.isPending}
            disabled={!may}
            onCheckedChange={(enabled) =>
              update.mutate(
                { params, body: { enabled } },
                { onError: (error) => notify({ tone: 'bad', text: '', error }) },
              )
            }
          />
        </span>
        <Button
          kind="quiet"
          size="icon"
          disabled={!may}
          aria-label={`Take ${item.instanceName} out of the toolbelt`}
          title="Take out of the toolbelt"
          onClick={() => setRemoving(true)}
        >
          <Trash2 />
        </Button>
      </header>
      <CredentialPanel item={item} agentName={agentName} />
      <ChangedCapabilities item={item} agentName={agentName} />
      <PermissionMatrix item={item} />
      <ToolbeltSwitches item={item} />
      <AskPatterns item={item} />
      <ConfirmByName
        open={removing}
        onClose={() => {
          remove.reset()
          setRemoving(false)
        }}
        title={`Take out ${item.instanceName}`}
        name={item.instanceName}
        verb="Take out"
        pending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params }, { onSuccess: () => setRemoving(false) })}
      >
        {agentName} loses its capabilities at once, and the permissions that were given are forgotten. The tool itself
        stays.
      </ConfirmByName>
    </Card>
  )
}
