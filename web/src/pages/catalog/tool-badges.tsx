import type { Tool } from '@agentopia/api'
import { Database, Globe, Lock, Pin, ShieldAlert } from 'lucide-react'
import { Badge } from '../../parts/badge.tsx'

/** What matters before a tool is let in: where it comes from, what it may reach, what it keeps. */
export const ToolBadges = ({ tool }: { tool: Tool }) => (
  <>
    <Badge>
      <Pin />
      {tool.package.type}, pinned
    </Badge>
    <Badge className={tool.egress === 'any' ? 'border-warn/40 text-warn' : ''}>
      {tool.egress === 'none' ? <Lock /> : <Globe />}
      {reachOf(tool.egress)}
    </Badge>
    {tool.keepsState && (
      <Badge>
        <Database />
        keeps data
      </Badge>
    )}
    {tool.profiles.length > 0 && (
      <Badge className="border-warn/40 text-warn">
        <ShieldAlert />
        beyond strict: {tool.profiles.join(', ')}
      </Badge>
    )}
    <Badge>{tool.transport}</Badge>
  </>
)

function reachOf(egress: Tool['egress']): string {
  if (egress === 'any') return 'reaches the internet'
  if (egress === 'none') return 'no route out'
  return `reaches ${egress.map(({ host }) => host).join(', ')}`
}
