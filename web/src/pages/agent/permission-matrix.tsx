import { type ToolbeltItem, updateToolbeltItem } from '@agentopia/api'
import { Hand } from 'lucide-react'
import { useId, useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Badge } from '../../parts/badge.tsx'
import { Button } from '../../parts/button.tsx'
import { CapabilityBadges } from '../../parts/capability-badges.tsx'
import { Checkbox } from '../../parts/checkbox.tsx'
import { cn } from '../../parts/cn.ts'
import { Input } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import {
  type Answer,
  type Answers,
  answersOf,
  answersOfPreset,
  changesOf,
  type Preset,
  withAnswer,
} from '../../words/permissions.ts'

const PRESET_WORDS = [
  ['none', 'None'],
  ['read-only', 'All that only read'],
  ['all', 'All'],
] as const satisfies readonly (readonly [Preset, string])[]

/** Above so many capabilities there is a search. */
const MANY = 10

/** Capability by capability: allowed, asked for or denied. Ticks are a draft until they are saved; the server's answer is what holds. */
export function PermissionMatrix({ item }: { item: ToolbeltItem }) {
  const { permissions } = item
  const may = useMay('operator')
  const update = useAction(updateToolbeltItem)
  const [draft, setDraft] = useState<Answers>()
  const [search, setSearch] = useState('')
  const now = answersOf(permissions)
  const chosen = draft ?? now
  const changes = changesOf(permissions, chosen)
  const changed = changes.allowed.length + changes.asked.length + changes.denied.length > 0
  const shown = permissions.filter(({ capability }) => capability.toLowerCase().includes(search.toLowerCase()))
  const save = () => {
    const asked = [...chosen].filter(([, answer]) => answer === 'ask').map(([name]) => name)
    update.mutate(
      { params: { agentId: item.agentId, toolbeltItemId: item.id }, body: { allow: [...chosen.keys()], ask: asked } },
      { onSuccess: () => setDraft(undefined) },
    )
  }

  if (permissions.length === 0)
    return (
      <p className="px-4 py-6 text-center text-ink-faint">Its capabilities are not known yet: it has not run so far.</p>
    )
  return (
    <>
      {item.offer === 'awaited' && (
        <p className="border-line border-b bg-warn-soft px-4 py-2 text-ink text-xs">
          It has not run for this agent yet. This is what it offers to other agents; what it describes otherwise to this
          one is blocked until you approve it.
        </p>
      )}
      <div className="flex flex-wrap items-center gap-x-1 gap-y-2 border-line border-b bg-canvas/60 px-4 py-2">
        <span className="mr-1 text-ink-faint text-xs">Allow</span>
        {PRESET_WORDS.map(([preset, words]) => (
          <Button
            key={preset}
            kind="quiet"
            size="small"
            disabled={!may}
            onClick={() => setDraft(answersOfPreset(permissions, preset))}
          >
            {words}
          </Button>
        ))}
        {permissions.length > MANY && (
          <Input
            type="search"
            aria-label={`Search the capabilities of ${item.instanceName}`}
            placeholder="Search"
            className="ml-auto h-7 w-40 text-xs"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        )}
      </div>
      <ul className={cn('max-h-115 divide-y divide-line overflow-y-auto', !item.enabled && 'opacity-60')}>
        {shown.map((permission) => (
          <Permission
            key={permission.capability}
            permission={permission}
            answer={chosen.get(permission.capability) ?? 'deny'}
            differs={chosen.get(permission.capability) !== now.get(permission.capability)}
            disabled={!may || update.isPending}
            onChange={(answer) => setDraft(withAnswer(chosen, permission.capability, answer))}
          />
        ))}
      </ul>
      {update.error && <ProblemNotice error={update.error} className="m-4" />}
      {changed && (
        <footer className="flex animate-appear flex-wrap items-center gap-2 border-accent/40 border-t bg-accent-soft px-4 py-2.5">
          <p role="status" className="mr-auto font-medium">
            {[
              changes.allowed.length > 0 && `${changes.allowed.length} more allowed`,
              changes.asked.length > 0 && `${changes.asked.length} more asked for`,
              changes.denied.length > 0 && `${changes.denied.length} more denied`,
            ]
              .filter(Boolean)
              .join(', ')}
            <span className="ml-1.5 font-normal text-ink-soft">when saved</span>
          </p>
          <Button size="small" kind="quiet" disabled={update.isPending} onClick={() => setDraft(undefined)}>
            Discard
          </Button>
          <Button size="small" kind="primary" pending={update.isPending} onClick={save}>
            Save permissions
          </Button>
        </footer>
      )}
    </>
  )
}

interface PermissionProps {
  readonly permission: ToolbeltItem['permissions'][number]
  readonly answer: Answer
  readonly differs: boolean
  readonly disabled: boolean
  readonly onChange: (answer: Answer) => void
}

const WORDS = { allow: 'allowed', ask: 'asked for', deny: 'denied' } as const satisfies Record<Answer, string>
const LOOK = { allow: 'text-ok', ask: 'text-busy', deny: 'text-ink-faint' } as const satisfies Record<Answer, string>

function Permission({ permission, answer, differs, disabled, onChange }: PermissionProps) {
  const allowed = answer !== 'deny'
  const id = useId()
  const { capability, gatewayName, description, readOnly, destructive, offered, changed } = permission
  return (
    <li className={cn('flex items-start gap-3 px-4 py-2.5 hover:bg-canvas/70', differs && 'bg-accent-soft/50')}>
      <Checkbox
        id={id}
        checked={allowed}
        disabled={disabled || (!offered && !allowed)}
        onCheckedChange={(on) => onChange(on === true ? 'allow' : 'deny')}
        className="mt-0.25"
      />
      <label htmlFor={id} className="min-w-0 flex-1 cursor-pointer">
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <code title={gatewayName} className={cn('wrap-anywhere font-medium text-sm', !offered && 'line-through')}>
            {capability}
          </code>
          <CapabilityBadges readOnly={readOnly} destructive={destructive} />
          {!offered && <Badge className="text-warn">no longer offered</Badge>}
          {changed && <Badge className="border-bad/40 text-bad">changed</Badge>}
        </span>
        {description && <span className="wrap-anywhere line-clamp-1 text-ink-faint text-xs">{description}</span>}
      </label>
      <span className="flex min-h-6 shrink-0 items-center gap-2">
        {allowed && (
          <Button
            kind={answer === 'ask' ? 'plain' : 'quiet'}
            size="small"
            disabled={disabled}
            aria-pressed={answer === 'ask'}
            aria-label={`Ask first before ${capability} is called`}
            className="-my-1"
            onClick={() => onChange(answer === 'ask' ? 'allow' : 'ask')}
          >
            <Hand />
            Ask first
          </Button>
        )}
        {changed && !differs ? (
          <span className="text-bad text-xs">blocked</span>
        ) : (
          <span className={cn('text-xs', differs ? 'font-medium text-accent' : LOOK[answer])}>
            {differs && 'to be '}
            {WORDS[answer]}
          </span>
        )}
      </span>
    </li>
  )
}
