import { type Agent, updateAgent } from '@agentopia/api'
import { useId } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { cn } from '../../parts/cn.ts'
import { Switch } from '../../parts/switch.tsx'
import { notify } from '../../shell/notices.ts'

/** On: the agent may call what it was granted. Off: every call is refused, at once. */
export function KillSwitch({ agent }: { agent: Agent }) {
  const id = useId()
  const update = useAction(updateAgent)
  const may = useMay('operator')
  const set = (enabled: boolean) =>
    update.mutate(
      { params: { agentId: agent.id }, body: { enabled } },
      { onError: (error) => notify({ tone: 'bad', text: '', error }) },
    )
  return (
    <div
      className={cn(
        'flex h-8.5 items-center gap-2.5 rounded-md border px-3',
        agent.enabled ? 'border-line-strong/80 bg-surface' : 'border-bad/40 bg-bad-soft',
      )}
    >
      <label htmlFor={id} className="font-medium text-sm">
        {agent.enabled ? 'May call' : 'Every call is refused'}
      </label>
      <Switch
        id={id}
        aria-label={`Kill switch of ${agent.name}`}
        checked={agent.enabled}
        pending={update.isPending}
        disabled={!may}
        onCheckedChange={set}
      />
    </div>
  )
}
