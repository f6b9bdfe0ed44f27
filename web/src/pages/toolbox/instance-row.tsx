import type { Tool, ToolGroup, ToolInstance } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { InstanceActions } from '../../parts/instance-actions.tsx'
import { InstanceChip, InstanceProgress } from '../../parts/instance-state.tsx'
import { ToolIcon } from '../../parts/tool-icon.tsx'
import { isUnderway, REASON_ADVICE, toneOfInstance } from '../../words/instance-state.ts'
import { count } from '../../words/quantity.ts'

interface InstanceRowProps {
  readonly instance: ToolInstance
  readonly tool: Tool | undefined
  /** The group it belongs to. */
  readonly group?: ToolGroup
}

/** One tool instance in a list. */
export function InstanceRow({ instance, tool, group }: InstanceRowProps) {
  const { id, toolboxId, name, capabilityCount, message, reason, restarts } = instance
  const tone = toneOfInstance(instance)
  const troubled = tone === 'bad' || tone === 'warn'
  return (
    <li className="relative flex items-center gap-3 px-4 py-3 transition-colors hover:bg-canvas/70">
      <ToolIcon name={tool?.icon} />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <Link
            to="/toolboxes/$toolboxId/tools/$instanceId/{-$tab}"
            params={{ toolboxId, instanceId: id, tab: undefined }}
            className="truncate font-semibold outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
          >
            {name}
          </Link>
          <InstanceChip instance={instance} />
        </div>
        {isUnderway(instance) ? (
          <InstanceProgress instance={instance} className="mt-1.5 max-w-md" />
        ) : (
          <p className="truncate text-ink-faint text-xs">
            {troubled && (message ?? (reason && REASON_ADVICE[reason]))
              ? (message ?? (reason && REASON_ADVICE[reason]))
              : [
                  tool?.title ?? instance.toolId,
                  capabilityCount !== undefined && count(capabilityCount, 'capability', 'capabilities'),
                  restarts > 0 && `restarted ${count(restarts, 'time')}`,
                ]
                  .filter(Boolean)
                  .join(' · ')}
          </p>
        )}
      </div>
      <InstanceActions instance={instance} group={group} className="relative z-10" />
    </li>
  )
}
