import { listCatalog, listGroups, listInstances, type Tool, type ToolGroup, type ToolInstance } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Layers, Plus, Wrench } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { EmptyState } from '../../parts/empty-state.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { DeployGroup } from './deploy-group.tsx'
import { GroupCard } from './group-card.tsx'
import { InstanceRow } from './instance-row.tsx'

/** The tools of one toolbox, one by one and in groups, with what they are doing right now. */
export function ToolboxTools({ toolboxId }: { toolboxId: string }) {
  const instances = useOperation(listInstances, { params: { toolboxId }, query: {} })
  const groups = useOperation(listGroups, { params: { toolboxId }, query: {} })
  const tools = useOperation(listCatalog, { query: {} })
  const [deploying, setDeploying] = useState(false)
  const may = useMay('operator')
  const toolOf = new Map(tools.data?.items.map((tool) => [tool.id, tool]))
  const deployGroup = may && (
    <Button onClick={() => setDeploying(true)}>
      <Layers />
      Deploy a group
    </Button>
  )
  return (
    <>
      <Reading
        of={instances}
        skeleton={
          <Card className="p-4">
            <SkeletonRows />
          </Card>
        }
      >
        {({ items }) => (
          <Reading of={groups}>
            {({ items: grouped }) =>
              items.length === 0 && grouped.length === 0 ? (
                <EmptyState
                  icon={<Wrench />}
                  title="No tools on this toolbox"
                  action={
                    <div className="flex flex-wrap justify-center gap-2">
                      <Button asChild kind="primary">
                        <Link to="/catalog" search={{ toolbox: toolboxId }}>
                          <Plus />
                          Deploy a tool
                        </Link>
                      </Button>
                      {deployGroup}
                    </div>
                  }
                >
                  A tool is an MCP server. Deployed here, it runs hardened in a container of its own, and counts as
                  running only once it has answered as an MCP server.
                </EmptyState>
              ) : (
                <Deployed instances={items} groups={grouped} toolOf={toolOf} action={deployGroup} />
              )
            }
          </Reading>
        )}
      </Reading>
      {deploying && <DeployGroup toolboxId={toolboxId} onClose={() => setDeploying(false)} />}
    </>
  )
}

interface DeployedProps {
  readonly instances: readonly ToolInstance[]
  readonly groups: readonly ToolGroup[]
  readonly toolOf: ReadonlyMap<string, Tool>
  readonly action: ReactNode
}

/** Those that came alone, then each group as one thing. */
function Deployed({ instances, groups, toolOf, action }: DeployedProps) {
  const alone = instances.filter(({ groupId }) => !groups.some(({ id }) => id === groupId))
  return (
    <div className="flex flex-col gap-4">
      <Card>
        <CardHeader title="Tools" note={`${instances.length} deployed`}>
          {action}
        </CardHeader>
        <ul className="divide-y divide-line">
          {alone.map((instance) => (
            <InstanceRow key={instance.id} instance={instance} tool={toolOf.get(instance.toolId)} />
          ))}
        </ul>
        {alone.length === 0 && <p className="px-4 py-3 text-ink-faint text-sm">All of them came in groups.</p>}
      </Card>
      {groups.map((group) => (
        <GroupCard key={group.id} group={group} instances={instances} toolOf={toolOf} />
      ))}
    </div>
  )
}
