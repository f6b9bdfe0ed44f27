import { type Agent, getAgent } from '@agentopia/api'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useOperation } from '../api/use-operation.ts'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { RelativeTime } from '../parts/relative-time.tsx'
import { TabPanel, Tabs } from '../parts/tabs.tsx'
import { AgentCalls } from './agent/agent-calls.tsx'
import { AgentMenu } from './agent/agent-menu.tsx'
import { AgentTokens } from './agent/agent-tokens.tsx'
import { ConnectedClients } from './agent/connected-clients.tsx'
import { FlowWarning } from './agent/flow-warning.tsx'
import { KillSwitch } from './agent/kill-switch.tsx'
import { Toolbelt } from './agent/toolbelt.tsx'
import { ToolboxAccess } from './agent/toolbox-access.tsx'
import { TryIt } from './agent/try-it.tsx'

const TABS = ['toolbelt', 'connect', 'try', 'calls'] as const

/** One agent: what it may reach, how it connects, what it did, and the switch that ends it all. */
export function AgentPage() {
  const { agentId, tab: asked } = useParams({ from: '/app/agents/$agentId/{-$tab}' })
  const navigate = useNavigate()
  const agent = useOperation(getAgent, { params: { agentId } })
  const tab = TABS.find((name) => name === asked) ?? 'toolbelt'
  const open = (next: string) =>
    void navigate({
      to: '/agents/$agentId/{-$tab}',
      params: { agentId, tab: next === 'toolbelt' ? undefined : next },
      replace: true,
    })
  return (
    <>
      <PageHeader
        trail={[
          <Link key="agents" to="/agents">
            Agents
          </Link>,
        ]}
        title={agent.data?.name ?? 'Agent'}
        note={agent.data && <Note agent={agent.data} />}
      >
        {agent.data && <KillSwitch agent={agent.data} />}
        {agent.data && <AgentMenu agent={agent.data} />}
      </PageHeader>
      <Reading of={agent}>
        {(data) => (
          <>
            <FlowWarning agentId={agentId} />
            <Tabs
              label="Agent"
              value={tab}
              onChange={open}
              tabs={[
                { value: 'toolbelt', label: 'Toolbelt', count: data.toolbeltSize },
                { value: 'connect', label: 'Connect' },
                { value: 'try', label: 'Try it' },
                { value: 'calls', label: 'Calls' },
              ]}
            >
              <TabPanel value="toolbelt" className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,1fr)]">
                <Toolbelt agent={data} />
                <ToolboxAccess agent={data} />
              </TabPanel>
              <TabPanel value="connect" className="flex flex-col gap-5">
                <AgentTokens agentId={agentId} />
                <ConnectedClients agentId={agentId} />
              </TabPanel>
              <TabPanel value="try">
                <TryIt agent={data} />
              </TabPanel>
              <TabPanel value="calls">
                <AgentCalls agentId={agentId} />
              </TabPanel>
            </Tabs>
          </>
        )}
      </Reading>
    </>
  )
}

const Note = ({ agent: { description, lastCallAt } }: { agent: Agent }) => (
  <>
    {description && (
      <>
        {description}
        <span aria-hidden className="mx-2 text-ink-faint">
          ·
        </span>
      </>
    )}
    <span className="text-ink-faint">
      {lastCallAt ? (
        <>
          Last call <RelativeTime at={lastCallAt} />
        </>
      ) : (
        'It has not called anything yet.'
      )}
    </span>
  </>
)
