import {
  type Agent,
  CallSettings,
  executeCapability,
  getCallSettings,
  getInstance,
  listToolbeltCapabilities,
  type ToolbeltItem,
} from '@agentopia/api'
import { Play } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Field } from '../../parts/field.tsx'
import { TextArea } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SchemaForm } from '../../parts/schema-form.tsx'
import { fieldsOfSchema } from '../../schema/form-fields.ts'
import { initialValues, readArguments, readValues } from '../../schema/form-values.ts'
import { whyRefused } from '../../words/why-refused.ts'
import { CallResult } from './call-result.tsx'
import { WaitingCalls } from './waiting-calls.tsx'

interface TryCapabilityProps {
  readonly agent: Agent
  readonly item: ToolbeltItem
  readonly permission: ToolbeltItem['permissions'][number]
}

/** A little longer than the call itself may take, or a person who is asked: their own limits answer first. */
const CALL_MS = 60_000
const MARGIN_MS = 5_000
const LONGEST_WAIT_S = CallSettings.shape.approvalSeconds.maxValue ?? 0

export function TryCapability({ agent, item, permission }: TryCapabilityProps) {
  const { agentId, id: toolbeltItemId } = item
  const capabilities = useOperation(listToolbeltCapabilities, { params: { agentId, toolbeltItemId } })
  return (
    <Reading of={capabilities}>
      {(data) => {
        const capability = data.capabilities.find(({ name }) => name === permission.capability)
        return <CallForm agent={agent} item={item} permission={permission} schema={capability?.inputSchema ?? {}} />
      }}
    </Reading>
  )
}

function CallForm({
  agent,
  item,
  permission,
  schema,
}: TryCapabilityProps & { schema: Readonly<Record<string, unknown>> }) {
  const { data: settings } = useOperation(getCallSettings, {})
  const waitMs = permission.ask ? (settings?.approvalSeconds ?? LONGEST_WAIT_S) * 1_000 : 0
  const execute = useAction(executeCapability, { deadlineMs: waitMs + CALL_MS + MARGIN_MS })
  const { toolboxId, instanceId } = item
  const instance = useOperation(getInstance, { params: { toolboxId, instanceId } })
  const refused = whyRefused({ agent, item, permission, instance: instance.data })
  const fields = fieldsOfSchema(schema)
  const [byHand, setByHand] = useState(fields === undefined)
  const [values, setValues] = useState(() => initialValues(fields ?? []))
  const [text, setText] = useState('{}')
  const [tried, setTried] = useState(false)
  const filled = byHand ? readArguments(text) : readValues(fields ?? [], values)

  function toggle(): void {
    if (byHand && filled.ok) setValues(initialValues(fields ?? [], filled.values))
    if (!byHand) setText(JSON.stringify(filled.ok ? filled.values : {}, null, 2))
    setByHand(!byHand)
  }

  function call(): void {
    setTried(true)
    if (!filled.ok) return
    execute.mutate({
      params: { agentId: item.agentId, toolbeltItemId: item.id },
      body: { capability: permission.capability, arguments: filled.values, timeoutMs: CALL_MS },
    })
  }

  return (
    <div className="grid items-start gap-5 lg:grid-cols-2">
      <Card>
        <CardHeader title="Arguments">
          {fields && fields.length > 0 && (
            <Button kind="quiet" size="small" onClick={toggle}>
              {byHand ? 'As a form' : 'As JSON'}
            </Button>
          )}
        </CardHeader>
        <form
          className="flex flex-col gap-4 p-4"
          onSubmit={(event) => {
            event.preventDefault()
            call()
          }}
        >
          {byHand ? (
            <Field label="Arguments as JSON" problem={tried && !filled.ok ? filled.problems[''] : undefined}>
              {(control) => (
                <TextArea
                  {...control}
                  rows={8}
                  spellCheck={false}
                  className="font-mono text-xs"
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                />
              )}
            </Field>
          ) : fields?.length === 0 ? (
            <p className="text-ink-faint">It takes no arguments.</p>
          ) : (
            <SchemaForm
              fields={fields ?? []}
              values={values}
              onChange={setValues}
              problems={tried && !filled.ok ? filled.problems : {}}
            />
          )}
          {refused && <p className="rounded-md bg-warn-soft px-3 py-2 text-ink text-xs">{refused}</p>}
          <Button type="submit" kind="primary" pending={execute.isPending} className="self-start">
            <Play />
            Call
          </Button>
        </form>
      </Card>
      <div aria-live="polite" className="min-w-0">
        {execute.isPending && permission.ask ? (
          <WaitingCalls agentId={agent.id} capability={permission.capability} />
        ) : execute.error ? (
          <ProblemNotice error={execute.error} />
        ) : execute.data ? (
          <CallResult reply={execute.data} />
        ) : (
          <p className="pegboard rounded-lg border border-line-strong border-dashed px-6 py-12 text-center text-ink-faint">
            The answer stands here.
          </p>
        )}
      </div>
    </div>
  )
}
