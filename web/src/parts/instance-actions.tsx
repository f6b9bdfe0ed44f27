import { restartInstance, startInstance, stopInstance, type ToolGroup, type ToolInstance } from '@agentopia/api'
import { Ellipsis, Play, RotateCw, Square, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../api/me.ts'
import { useAction } from '../api/use-action.ts'
import { notify } from '../shell/notices.ts'
import { whyHeld } from '../words/group-state.ts'
import { Button } from './button.tsx'
import { cn } from './cn.ts'
import { Menu, MenuItem, MenuSeparator } from './menu.tsx'
import { RemoveInstance } from './remove-instance.tsx'

interface InstanceActionsProps {
  readonly instance: ToolInstance
  /** The group it belongs to, once read. While that is not ready, it holds its tools. */
  readonly group?: ToolGroup | undefined
  /** With words, where there is room. */
  readonly labelled?: boolean
  readonly className?: string
  readonly onRemoved?: () => void
}

/** Start, stop, restart, remove. Each is a wish: the state shows what became of it. */
export function InstanceActions({ instance, group, labelled, className, onRemoved }: InstanceActionsProps) {
  const [removing, setRemoving] = useState(false)
  const may = useMay('operator')
  const start = useAction(startInstance)
  const stop = useAction(stopInstance)
  const restart = useAction(restartInstance)
  const { name, toolboxId, id: instanceId, desired, groupId } = instance
  const held = group && whyHeld(group)
  const input = { params: { toolboxId, instanceId } }
  const wish = (text: string) => ({
    onSuccess: () => notify({ tone: 'busy', text }),
    onError: (error: Error) => notify({ tone: 'bad', text: '', error }),
  })
  const doStart = () => start.mutate(input, wish(`${name} was asked to start`))
  const doStop = () => stop.mutate(input, wish(`${name} was asked to stop`))
  const doRestart = () => restart.mutate(input, wish(`${name} was asked to restart`))
  const pending = start.isPending || stop.isPending || restart.isPending
  if (desired === 'absent' || !may) return null

  return (
    <div className={cn('flex items-center gap-1', labelled && 'gap-2', className)}>
      {held && <span className={labelled ? 'text-ink-soft text-xs' : 'sr-only'}>{held}</span>}
      {desired === 'stopped' ? (
        <Button
          kind={labelled ? 'plain' : 'quiet'}
          size={labelled ? 'normal' : 'icon'}
          pending={pending}
          disabled={held !== undefined}
          onClick={doStart}
          aria-label={`Start ${name}`}
          title={held ?? 'Start'}
        >
          <Play />
          {labelled && 'Start'}
        </Button>
      ) : (
        <Button
          kind={labelled ? 'plain' : 'quiet'}
          size={labelled ? 'normal' : 'icon'}
          pending={pending}
          disabled={held !== undefined}
          onClick={doStop}
          aria-label={`Stop ${name}`}
          title={held ?? 'Stop'}
        >
          <Square />
          {labelled && 'Stop'}
        </Button>
      )}
      <Menu
        trigger={
          <Button kind={labelled ? 'plain' : 'quiet'} size="icon" aria-label={`More for ${name}`}>
            <Ellipsis />
          </Button>
        }
      >
        <MenuItem disabled={desired === 'stopped' || held !== undefined} onSelect={doRestart}>
          <RotateCw />
          Restart
        </MenuItem>
        {/* One of a group goes with its group alone. */}
        {groupId === undefined && (
          <>
            <MenuSeparator />
            <MenuItem danger onSelect={() => setRemoving(true)}>
              <Trash2 />
              Remove
            </MenuItem>
          </>
        )}
      </Menu>
      <RemoveInstance instance={instance} open={removing} onClose={() => setRemoving(false)} onRemoved={onRemoved} />
    </div>
  )
}
