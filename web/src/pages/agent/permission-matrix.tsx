import { type ToolbeltItem, updateToolbeltItem } from '@agentopia/api'
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
import { allowedOf, changesOf, type Preset, presetOf } from '../../words/permissions.ts'

const PRESET_WORDS = [
  ['none', 'None'],
  ['read-only', 'All that only read'],
  ['all', 'All'],
] as const satisfies readonly (readonly [Preset, string])[]

/** Above so many capabilities there is a search. */
const MANY = 10

/** Capability by capability: allowed or denied. Ticks are a draft until they are saved; the server's answer is what holds. */
export function PermissionMatrix({ item }: { item: ToolbeltItem }) {
  const { permissions } = item
  const may = useMay('operator')
  const update = useAction(updateToolbeltItem)
  const [draft, setDraft] = useState<ReadonlySet<string>>()
  const [search, setSearch] = useState('')
  const chosen = draft ?? allowedOf(permissions)
  const changes = changesOf(permissions, chosen)
  const changed = changes.allowed.length + changes.denied.length > 0
  const shown = permissions.filter(({ capability }) => capability.toLowerCase().includes(search.toLowerCase()))
  const toggle = (capability: string, on: boolean) => {
    const next = new Set(chosen)
    if (on) next.add(capability)
    else next.delete(capability)
    setDraft(next)
  }
  const save = () =>
    update.mutate(
      { params: { agentId: item.agentId, toolbeltItemId: item.id }, body: { allow: [...chosen] } },
      { onSuccess: () => setDraft(undefined) },
    )

  if (permissions.length === 0)
    return (
      <p className="px-4 py-6 text-center text-ink-faint">Its capabilities are not known yet: it has not run so far.</p>
    )
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-1 gap-y-2 border-line border-b bg-canvas/60 px-4 py-2">
        <span className="mr-1 text-ink-faint text-xs">Allow</span>
        {PRESET_WORDS.map(([preset, words]) => (
          <Button
            key={preset}
            kind="quiet"
            size="small"
            disabled={!may}
            onClick={() => setDraft(presetOf(permissions, preset))}
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
            allowed={chosen.has(permission.capability)}
            differs={chosen.has(permission.capability) !== permission.allowed}
            disabled={!may || update.isPending}
            onChange={(on) => toggle(permission.capability, on)}
          />
        ))}
      </ul>
      {update.error && <ProblemNotice error={update.error} className="m-4" />}
      {changed && (
        <footer className="flex animate-appear flex-wrap items-center gap-2 border-accent/40 border-t bg-accent-soft px-4 py-2.5">
          <p role="status" className="mr-auto font-medium">
            {[
              changes.allowed.length > 0 && `${changes.allowed.length} more allowed`,
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
  readonly allowed: boolean
  readonly differs: boolean
  readonly disabled: boolean
  readonly onChange: (allowed: boolean) => void
}

function Permission({ permission, allowed, differs, disabled, onChange }: PermissionProps) {
  const id = useId()
  const { capability, gatewayName, description, readOnly, destructive, offered, changed } = permission
  return (
    <li className={cn('flex items-start gap-3 px-4 py-2.5 hover:bg-canvas/70', differs && 'bg-accent-soft/50')}>
      <Checkbox
        id={id}
        checked={allowed}
        disabled={disabled || (!offered && !allowed)}
        onCheckedChange={(on) => onChange(on === true)}
        className="mt-0.25"
      />
      <label htmlFor={id} className="min-w-0 flex-1 cursor-pointer">
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <code title={gatewayName} className={cn('wrap-anywhere font-medium text-sm', !offered && 'line-through')}>
            {capability}
          </code>
          <CapabilityBadges readOnly={readOnly} destructive={destructive} />
          {!offered && <Badge className="text-warn">no longer offered</Badge>}
          {changed && <Badge className="border-bad/40 text-bad">changed, blocked</Badge>}
        </span>
        {description && <span className="wrap-anywhere line-clamp-1 text-ink-faint text-xs">{description}</span>}
      </label>
      <span
        className={cn('shrink-0 text-xs', differs ? 'font-medium text-accent' : allowed ? 'text-ok' : 'text-ink-faint')}
      >
        {differs && 'to be '}
        {allowed ? 'allowed' : 'denied'}
      </span>
    </li>
  )
}
