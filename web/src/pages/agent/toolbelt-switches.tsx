import { type ToolbeltItem, updateToolbeltItem } from '@agentopia/api'
import { useId } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Switch } from '../../parts/switch.tsx'
import { notify } from '../../shell/notices.ts'

const SWITCHES = [
  ['prompts', 'Prompts', 'All prompts of the server'],
  ['resources', 'Resources', 'All resources of the server'],
  ['plainNames', 'Plain names', "The server's own names; one tool of an agent at most"],
] as const satisfies readonly (readonly [keyof ToolbeltItem, string, string])[]

/** What is allowed as a whole and not one by one, and by which names the agent knows it. */
export const ToolbeltSwitches = ({ item }: { item: ToolbeltItem }) => (
  <div className="grid gap-x-6 gap-y-3 border-line border-t bg-canvas/60 px-4 py-3 sm:grid-cols-3">
    {SWITCHES.map(([field, words, note]) => (
      <ToolbeltSwitch key={field} item={item} field={field} words={words} note={note} />
    ))}
  </div>
)

interface ToolbeltSwitchProps {
  readonly item: ToolbeltItem
  readonly field: (typeof SWITCHES)[number][0]
  readonly words: string
  readonly note: string
}

function ToolbeltSwitch({ item, field, words, note }: ToolbeltSwitchProps) {
  const id = useId()
  const may = useMay('operator')
  const update = useAction(updateToolbeltItem)
  const set = (on: boolean) =>
    update.mutate(
      { params: { agentId: item.agentId, toolbeltItemId: item.id }, body: { [field]: on } },
      { onError: (error) => notify({ tone: 'bad', text: '', error }) },
    )
  return (
    <div className="flex items-start gap-2.5">
      <Switch
        id={id}
        aria-label={`${words} of ${item.instanceName}`}
        checked={item[field]}
        pending={update.isPending}
        disabled={!may}
        onCheckedChange={set}
      />
      <label htmlFor={id} className="min-w-0">
        <span className="block font-medium">{words}</span>
        <span className="block text-pretty text-ink-faint text-xs">{note}</span>
      </label>
    </div>
  )
}
