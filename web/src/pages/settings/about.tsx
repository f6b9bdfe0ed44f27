import { getInfo } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { Card, CardHeader } from '../../parts/card.tsx'
import { CopyableId } from '../../parts/copyable.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'

/** What this control plane is. */
export function About() {
  const info = useOperation(getInfo, {})
  return (
    <Card>
      <CardHeader title="About" />
      <Reading of={info} skeleton={<SkeletonRows rows={3} className="p-4" />}>
        {({ product, version, publicUrl, mcpUrl, operatorUrl }) => (
          <Facts
            className="p-4"
            facts={[
              ['Product', `${product} ${version}`],
              ['Address', <CopyableId key="address" id={publicUrl} />],
              ['MCP endpoint', <CopyableId key="mcp" id={mcpUrl} />],
              ['MCP endpoint of operators', <CopyableId key="operator" id={operatorUrl} />],
            ]}
          />
        )}
      </Reading>
    </Card>
  )
}
