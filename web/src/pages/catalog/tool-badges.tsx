import type { Tool } from '@agentopia/api'
import { Database, Globe, Lock, Pin } from 'lucide-react'
import { Badge } from '../../parts/badge.tsx'

/** What matters before a tool is let in: where it comes from, what it may reach, what it keeps. */
export const ToolBadges = ({ tool }: { tool: Tool }) => (
  <>
    <Badge>
      <Pin />
      {tool.package.type}, pinned
    </Badge>
    <Badge className={tool.egress === 'any' ? 'border-warn/40 text-warn' : ''}>
      {tool.egress === 'any' ? <Globe /> : <Lock />}
      {tool.egress === 'any' ? 'reaches the internet' : 'no route out'}
    </Badge>
    {tool.keepsState && (
      <Badge>
        <Database />
        keeps data
      </Badge>
    )}
    <Badge>{tool.transport}</Badge>
  </>
)
