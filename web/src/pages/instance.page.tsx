import { getCatalogTool, getGroup, getInstance, getToolbox, type ToolInstance } from '@agentopia/api'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useOperation } from '../api/use-operation.ts'
import { InstanceActions } from '../parts/instance-actions.tsx'
import { InstanceChip } from '../parts/instance-state.tsx'
import { LogView } from '../parts/log-view.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { TabPanel, Tabs } from '../parts/tabs.tsx'
import { InstanceCapabilities } from './instance/instance-capabilities.tsx'
import { InstanceConfig } from './instance/instance-config.tsx'
import { InstanceState } from './instance/instance-state.tsx'

const TABS = ['capabilities', 'logs', 'configuration'] as const

/** One tool deployed on one toolbox. */
export function InstancePage() {
  const {
    toolboxId,
    instanceId,
    tab: asked,
  } = useParams({ from: '/app/toolboxes/$toolboxId/tools/$instanceId/{-$tab}' })
  const navigate = useNavigate()
  const instance = useOperation(getInstance, { params: { toolboxId, instanceId } }, { everyMs: 20_000 })
  const toolbox = useOperation(getToolbox, { params: { toolboxId } })
  const { toolId = '', groupId = '', desired } = instance.data ?? {}
  const tool = useOperation(getCatalogTool, { params: { toolId } }, { enabled: toolId !== '' })
  const group = useOperation(
    getGroup,
    { params: { toolboxId, groupId } },
    { enabled: groupId !== '' && desired !== 'absent' }, // it goes with its last tool
  )
  const tab = TABS.find((name) => name === asked) ?? 'capabilities'
  const open = (next: string) =>
    void navigate({
      to: '/toolboxes/$toolboxId/tools/$instanceId/{-$tab}',
      params: { toolboxId, instanceId, tab: next === 'capabilities' ? undefined : next },
      replace: true,
    })
  const leave = () => void navigate({ to: '/toolboxes/$toolboxId/{-$tab}', params: { toolboxId, tab: 'tools' } })

  return (
    <>
      <PageHeader
        trail={[
          <Link key="toolbox" to="/toolboxes/$toolboxId/{-$tab}" params={{ toolboxId, tab: undefined }}>
            {toolbox.data?.name ?? 'Toolbox'}
          </Link>,
          <Link key="tools" to="/toolboxes/$toolboxId/{-$tab}" params={{ toolboxId, tab: 'tools' }}>
            Tools
          </Link>,
        ]}
        tabTitle={instance.data?.name ?? 'Tool instance'}
        title={instance.data ? <Title instance={instance.data} /> : 'Tool instance'}
        note={tool.data && `${tool.data.title}, ${tool.data.package.name} ${tool.data.package.version}`}
      >
        {instance.data && <InstanceActions instance={instance.data} group={group.data} labelled onRemoved={leave} />}
      </PageHeader>
      <Reading of={instance}>
        {(data) => (
          <>
            <InstanceState instance={data} />
            <Tabs
              label="Tool instance"
              value={tab}
              onChange={open}
              tabs={[
                { value: 'capabilities', label: 'Capabilities', count: data.capabilityCount },
                { value: 'logs', label: 'Logs' },
                { value: 'configuration', label: 'Configuration' },
              ]}
            >
              <TabPanel value="capabilities">
                <InstanceCapabilities instance={data} />
              </TabPanel>
              <TabPanel value="logs">
                <LogView toolboxId={toolboxId} instanceId={instanceId} name={data.name} />
              </TabPanel>
              <TabPanel value="configuration">
                {data.image && (
                  <p className="mb-4 break-all text-ink-soft text-xs">
                    Runs <code>{data.image}</code>
                  </p>
                )}
                <InstanceConfig instance={data} tool={tool.data} />
              </TabPanel>
            </Tabs>
          </>
        )}
      </Reading>
    </>
  )
}

const Title = ({ instance }: { instance: ToolInstance }) => (
  <>
    {instance.name}
    <InstanceChip instance={instance} />
  </>
)
