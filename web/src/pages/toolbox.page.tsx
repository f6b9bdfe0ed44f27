import { getToolbox, listInstances, type Toolbox } from '@agentopia/api'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useOperation } from '../api/use-operation.ts'
import { Button } from '../parts/button.tsx'
import { Chip } from '../parts/glyph.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { Elapsed } from '../parts/relative-time.tsx'
import { TabPanel, Tabs } from '../parts/tabs.tsx'
import { PROVIDER_WORDS, statusWords, toneOfToolbox } from '../words/toolbox-status.ts'
import { ToolboxActivity } from './toolbox/toolbox-activity.tsx'
import { ToolboxLogs } from './toolbox/toolbox-logs.tsx'
import { ToolboxOverview } from './toolbox/toolbox-overview.tsx'
import { ToolboxSystem } from './toolbox/toolbox-system.tsx'
import { ToolboxTools } from './toolbox/toolbox-tools.tsx'

const TABS = ['overview', 'tools', 'logs', 'system', 'activity'] as const

/** The console of one toolbox. */
export function ToolboxPage() {
  const { toolboxId, tab: asked } = useParams({ from: '/app/toolboxes/$toolboxId/{-$tab}' })
  const navigate = useNavigate()
  const toolbox = useOperation(getToolbox, { params: { toolboxId } }, { everyMs: 15_000 })
  const instances = useOperation(listInstances, { params: { toolboxId }, query: {} })
  const tab = TABS.find((name) => name === asked) ?? 'overview'
  const open = (next: string) =>
    void navigate({
      to: '/toolboxes/$toolboxId/{-$tab}',
      params: { toolboxId, tab: next === 'overview' ? undefined : next },
      replace: true,
    })

  return (
    <>
      <PageHeader
        trail={[
          <Link key="overview" to="/">
            Toolboxes
          </Link>,
        ]}
        tabTitle={toolbox.data?.name ?? 'Toolbox'}
        title={toolbox.data ? <Title toolbox={toolbox.data} /> : 'Toolbox'}
        note={toolbox.data && <Note toolbox={toolbox.data} />}
      >
        {toolbox.data && (
          <Button asChild kind="primary">
            <Link to="/catalog" search={{ toolbox: toolboxId }}>
              <Plus />
              Deploy a tool
            </Link>
          </Button>
        )}
      </PageHeader>
      <Reading of={toolbox}>
        {(data) => (
          <Tabs
            label="Console"
            value={tab}
            onChange={open}
            tabs={[
              { value: 'overview', label: 'Overview' },
              { value: 'tools', label: 'Tools', count: instances.data?.items.length },
              { value: 'logs', label: 'Logs' },
              { value: 'system', label: 'System' },
              { value: 'activity', label: 'Activity' },
            ]}
          >
            <TabPanel value="overview">
              <ToolboxOverview toolbox={data} />
            </TabPanel>
            <TabPanel value="tools">
              <ToolboxTools toolboxId={toolboxId} />
            </TabPanel>
            <TabPanel value="logs">
              <ToolboxLogs toolboxId={toolboxId} />
            </TabPanel>
            <TabPanel value="system">
              <ToolboxSystem toolbox={data} />
            </TabPanel>
            <TabPanel value="activity">
              <ToolboxActivity toolboxId={toolboxId} />
            </TabPanel>
          </Tabs>
        )}
      </Reading>
    </>
  )
}

const Title = ({ toolbox }: { toolbox: Toolbox }) => (
  <>
    {toolbox.name}
    <Chip tone={toneOfToolbox(toolbox)}>{statusWords(toolbox)}</Chip>
  </>
)

const Note = ({ toolbox: { provider, machine, status, statusSince } }: { toolbox: Toolbox }) => (
  <>
    {[PROVIDER_WORDS[provider], machine && `${machine.os} (${machine.arch})`].filter(Boolean).join(', ')},{' '}
    {status.replaceAll('_', ' ')} for <Elapsed since={statusSince} />
  </>
)
