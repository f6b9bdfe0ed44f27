import type { GroupMember, Tool, ToolGroup, ToolInstance } from '@agentopia/api'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Chip } from '../../parts/glyph.tsx'
import { ToolIcon } from '../../parts/tool-icon.tsx'
import { groupWords, memberWords, toneOfGroup, toneOfMember } from '../../words/group-state.ts'
import { InstanceRow } from './instance-row.tsx'
import { RemoveGroup } from './remove-group.tsx'

interface GroupCardProps {
  readonly group: ToolGroup
  readonly instances: readonly ToolInstance[]
  readonly toolOf: ReadonlyMap<string, Tool>
}

/** A group as one thing: how it is, why it is not well, and its tools in the order of their needs. */
export function GroupCard({ group, instances, toolOf }: GroupCardProps) {
  const [removing, setRemoving] = useState(false)
  const may = useMay('operator')
  const { name, state, failure, members } = group
  return (
    <Card aria-label={`Group ${name}`}>
      <CardHeader
        title={
          <span className="flex items-center gap-2.5">
            {name}
            <Chip tone={toneOfGroup(group)}>{groupWords(group)}</Chip>
          </span>
        }
        note={`Group of ${members.length}`}
      >
        {may && state !== 'removing' && (
          <Button
            kind="quiet"
            size="icon"
            aria-label={`Remove group ${name}`}
            title="Remove"
            onClick={() => setRemoving(true)}
          >
            <Trash2 />
          </Button>
        )}
      </CardHeader>
      {failure && (
        <p role="status" className="wrap-anywhere border-line border-b bg-bad-soft px-4 py-2.5 text-sm">
          <strong className="font-semibold">{failure.member}</strong> did not become ready: {failure.message}.{' '}
          {state === 'failed' ? 'None of its tools is left on the toolbox.' : 'Its tools are taken back.'}
        </p>
      )}
      <ul className="divide-y divide-line">
        {members.map((member) => {
          const instance = instances.find(({ id }) => id === member.instanceId)
          const tool = toolOf.get(member.toolId)
          return instance && member.state !== 'waiting' ? (
            <InstanceRow key={member.name} instance={instance} tool={tool} group={group} />
          ) : (
            <Absent key={member.name} member={member} tool={tool} />
          )
        })}
      </ul>
      <RemoveGroup group={group} open={removing} onClose={() => setRemoving(false)} />
    </Card>
  )
}

/** One whose turn has not come, or that was taken back. */
const Absent = ({ member, tool }: { member: GroupMember; tool: Tool | undefined }) => (
  <li className="flex items-center gap-3 px-4 py-3">
    <ToolIcon name={tool?.icon} />
    <div className="min-w-0 flex-1">
      <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <span className="truncate font-semibold text-ink-soft">{member.name}</span>
        <Chip tone={toneOfMember(member)}>{memberWords(member)}</Chip>
      </div>
      <p className="truncate text-ink-faint text-xs">
        {[tool?.title ?? member.toolId, member.dependsOn.length > 0 && `after ${member.dependsOn.join(', ')}`]
          .filter(Boolean)
          .join(' · ')}
      </p>
    </div>
  </li>
)
