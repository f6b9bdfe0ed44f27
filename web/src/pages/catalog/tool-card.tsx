import { removeCatalogTool, type Tool } from '@agentopia/api'
import { ExternalLink, Plus, Trash2 } from 'lucide-react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { ToolIcon } from '../../parts/tool-icon.tsx'
import { notify } from '../../shell/notices.ts'
import { ToolBadges } from './tool-badges.tsx'

/** A catalogue entry: what it does, who publishes it, what it may reach, and the way to have it. */
export function ToolCard({ tool, onDeploy }: { tool: Tool; onDeploy: () => void }) {
  const may = useMay('operator')
  const { title, summary, publisher, icon, package: pack, docsUrl } = tool
  return (
    <Card className="flex h-full flex-col p-4 transition-colors hover:border-line-strong">
      <div className="flex items-start gap-3">
        <ToolIcon name={icon} className="size-10" />
        <div className="min-w-0 flex-1">
          <h2 className="text-balance font-semibold text-base">{title}</h2>
          <p className="text-ink-faint text-xs">{publisher}</p>
        </div>
      </div>
      <p className="mt-3 text-pretty text-ink-soft">{summary}</p>
      <div className="mt-3 flex flex-wrap gap-1.5">
        <ToolBadges tool={tool} />
      </div>
      <div className="mt-auto flex items-end gap-2 pt-4">
        <p className="min-w-0 flex-1 font-mono text-2xs text-ink-faint" title={`${pack.name} ${pack.version}`}>
          <PackageName name={pack.name} />
          <span className="block truncate">{pack.version.replace(/^(sha256:.{12}).*/, '$1')}</span>
        </p>
        {docsUrl !== undefined && (
          <a
            href={docsUrl}
            target="_blank"
            rel="noreferrer"
            aria-label={`Documentation of ${title}`}
            title="Documentation"
            className="grid size-7 place-items-center rounded-md text-ink-faint hover:bg-hover hover:text-ink"
          >
            <ExternalLink className="size-3.5" />
          </a>
        )}
        {tool.own && <RemoveTool tool={tool} />}
        <Button kind="plain" size="small" onClick={onDeploy} disabled={!may} aria-label={`Deploy ${title}`}>
          <Plus />
          Deploy
        </Button>
      </div>
    </Card>
  )
}

/** Where it is narrow, what stands before its last part goes first: many packages begin alike. */
function PackageName({ name }: { name: string }) {
  const last = name.lastIndexOf('/') + 1
  return (
    <span className="flex">
      <span className="min-w-0 truncate">{name.slice(0, last)}</span>
      <span className="max-w-full shrink-0 truncate">{name.slice(last)}</span>
    </span>
  )
}

/** Out of the catalogue again; refused while it is deployed. */
function RemoveTool({ tool: { id, title } }: { tool: Tool }) {
  const remove = useAction(removeCatalogTool)
  const may = useMay('admin')
  if (!may) return null
  return (
    <Button
      kind="quiet"
      size="tiny"
      pending={remove.isPending}
      aria-label={`Remove ${title} from the catalogue`}
      onClick={() =>
        remove.mutate(
          { params: { toolId: id } },
          {
            onSuccess: () => notify({ tone: 'ok', text: `${title} is removed from the catalogue` }),
            onError: (error) => notify({ tone: 'bad', text: `${title} stays in the catalogue`, error }),
          },
        )
      }
    >
      <Trash2 />
    </Button>
  )
}
