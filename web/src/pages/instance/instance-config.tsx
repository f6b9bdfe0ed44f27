import { ProblemError, type Tool, type ToolInstance, updateInstance } from '@agentopia/api'
import { SlidersHorizontal } from 'lucide-react'
import { useState } from 'react'
import { fieldProblemsOf } from '../../api/field-problems.ts'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { EmptyState } from '../../parts/empty-state.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { SchemaForm } from '../../parts/schema-form.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { fieldsOfConfig } from '../../schema/form-fields.ts'
import { initialValues, readValues } from '../../schema/form-values.ts'
import { notify } from '../../shell/notices.ts'
import type { ConfigValues } from '../catalog/deploy-form.tsx'

/** The settings of a tool instance. Saved ones make a new generation, which the toolbox then takes up. */
export function InstanceConfig({ instance, tool }: { instance: ToolInstance; tool: Tool | undefined }) {
  if (!tool) return <SkeletonRows />
  if (tool.config.length === 0)
    return (
      <EmptyState icon={<SlidersHorizontal />} title="Nothing to set">
        {tool.title} has no settings: it runs as the catalogue describes it.
      </EmptyState>
    )
  return <ConfigForm key={instance.generation} instance={instance} tool={tool} />
}

function ConfigForm({ instance, tool }: { instance: ToolInstance; tool: Tool }) {
  const fields = fieldsOfConfig(tool.config)
  const before = initialValues(fields, instance.config)
  const [values, setValues] = useState(before)
  const [tried, setTried] = useState(false)
  const update = useAction(updateInstance)
  const may = useMay('operator')
  const filled = readValues(fields, values)
  const changed = JSON.stringify(values) !== JSON.stringify(before)
  const refused =
    update.error instanceof ProblemError && update.error.code === 'invalid-config'
      ? fieldProblemsOf(update.error.message).fields
      : {}

  function save(): void {
    setTried(true)
    if (!filled.ok) return
    const { toolboxId, id: instanceId, name } = instance
    update.mutate(
      { params: { toolboxId, instanceId }, body: { config: filled.values as ConfigValues } },
      { onSuccess: () => notify({ tone: 'busy', text: `${name} was asked to change its settings` }) },
    )
  }

  return (
    <Card className="max-w-2xl">
      <CardHeader title="Settings" note="No secrets: values are visible on the toolbox" />
      <form
        className="flex flex-col gap-4 p-4"
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <SchemaForm
          fields={fields}
          values={values}
          onChange={setValues}
          problems={{ ...(tried && !filled.ok ? filled.problems : {}), ...refused }}
        />
        {update.error && <ProblemNotice error={update.error} />}
        <div className="flex justify-end gap-2">
          {changed && <Button onClick={() => setValues(before)}>Discard</Button>}
          <Button type="submit" kind="primary" disabled={!changed || !may} pending={update.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Card>
  )
}
