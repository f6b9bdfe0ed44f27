import type { Capability } from '@agentopia/api'
import { ChevronRight } from 'lucide-react'
import { ArgumentTable } from './argument-table.tsx'
import { CapabilityBadges, hintsOf } from './capability-badges.tsx'
import { CopyableId } from './copyable.tsx'
import { JsonView } from './json-view.tsx'

/** One capability: closed it says what it does, open how it is called. */
export function CapabilityItem({ capability, gatewayName }: { capability: Capability; gatewayName: string }) {
  const { name, title, description, inputSchema, outputSchema, annotations } = capability
  return (
    <details className="group">
      <summary className="flex cursor-pointer list-none items-start gap-2.5 px-4 py-3 -outline-offset-2 hover:bg-canvas/70 [&::-webkit-details-marker]:hidden">
        <ChevronRight className="mt-0.5 size-4 shrink-0 text-ink-faint transition-transform group-open:rotate-90" />
        <span className="min-w-0 flex-1">
          <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <code className="wrap-anywhere font-semibold text-ink text-sm">{name}</code>
            {title && title !== name && <span className="text-ink-faint text-xs">{title}</span>}
            <CapabilityBadges {...hintsOf(annotations)} />
          </span>
          {description && (
            <span className="wrap-anywhere mt-0.5 line-clamp-2 text-pretty text-ink-soft group-open:line-clamp-none group-open:whitespace-pre-line">
              {description}
            </span>
          )}
        </span>
      </summary>
      <div className="flex flex-col gap-4 px-4 pt-1 pb-4 sm:pl-10.5">
        <p className="flex flex-wrap items-baseline gap-x-3 text-xs">
          <span className="text-ink-faint">Name at the gateway</span>
          <CopyableId id={gatewayName} />
        </p>
        <ArgumentTable schema={inputSchema} />
        {outputSchema && (
          <div>
            <h4 className="mb-1.5 font-medium text-ink-faint text-xs">Answers with</h4>
            <ArgumentTable schema={outputSchema} />
          </div>
        )}
        <details>
          <summary className="w-max cursor-pointer text-ink-faint text-xs hover:text-ink">Schema as JSON</summary>
          <JsonView value={inputSchema} what="the schema" className="mt-2" />
        </details>
      </div>
    </details>
  )
}
