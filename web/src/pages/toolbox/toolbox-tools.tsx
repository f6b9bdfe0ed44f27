import { listCatalog, listInstances } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Plus, Wrench } from 'lucide-react'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { EmptyState } from '../../parts/empty-state.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { InstanceRow } from './instance-row.tsx'

/** The tool instances of one toolbox, with what they are doing right now. */
export function ToolboxTools({ toolboxId }: { toolboxId: string }) {
  const instances = useOperation(listInstances, { params: { toolboxId }, query: {} })
  const tools = useOperation(listCatalog, { query: {} })
  const toolOf = new Map(tools.data?.items.map((tool) => [tool.id, tool]))
  return (
    <Reading
      of={instances}
      skeleton={
        <Card className="p-4">
          <SkeletonRows />
        </Card>
      }
    >
      {({ items }) =>
        items.length === 0 ? (
          <EmptyState
            icon={<Wrench />}
            title="No tools on this toolbox"
            action={
              <Button asChild kind="primary">
                <Link to="/catalog" search={{ toolbox: toolboxId }}>
                  <Plus />
                  Deploy a tool
                </Link>
              </Button>
            }
          >
            A tool is an MCP server. Deployed here, it runs hardened in a container of its own, and counts as running
            only once it has answered as an MCP server.
          </EmptyState>
        ) : (
          <Card>
            <CardHeader title="Tools" note={`${items.length} deployed`} />
            <ul className="divide-y divide-line">
              {items.map((instance) => (
                <InstanceRow key={instance.id} instance={instance} tool={toolOf.get(instance.toolId)} />
              ))}
            </ul>
          </Card>
        )
      }
    </Reading>
  )
}
