import { deployTool, type Input, listInstances, ProblemError, type Tool, type Toolbox } from '@agentopia/api'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { fieldProblemsOf } from '../../api/field-problems.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { isName, NameField } from '../../parts/name-field.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { SchemaForm } from '../../parts/schema-form.tsx'
import { Select } from '../../parts/select.tsx'
import { fieldsOfConfig } from '../../schema/form-fields.ts'
import { initialValues, readValues } from '../../schema/form-values.ts'
import { freeName, nameFrom } from '../../words/names.ts'
import { statusWords } from '../../words/toolbox-status.ts'
import { ToolBadges } from './tool-badges.tsx'

/** What a form reads from controls made from `config` fields is what the operation takes; the server checks it again. */
export type ConfigValues = NonNullable<Input<typeof deployTool>['body']['config']>

interface DeployFormProps {
  readonly tool: Tool
  readonly toolboxes: readonly Toolbox[]
  readonly initialToolboxId: string | undefined
  readonly onClose: () => void
}

export function DeployForm({ tool, toolboxes, initialToolboxId, onClose }: DeployFormProps) {
  const navigate = useNavigate()
  const deploy = useAction(deployTool)
  const fields = fieldsOfConfig(tool.config)
  const [toolboxId, setToolboxId] = useState(initialToolboxId)
  const [typedName, setTypedName] = useState<string>()
  const [values, setValues] = useState(() => initialValues(fields))
  const [tried, setTried] = useState(false)
  const there = useOperation(
    listInstances,
    { params: { toolboxId: toolboxId ?? '' }, query: {} },
    { enabled: toolboxId !== undefined },
  )
  const name = typedName ?? freeName(nameFrom(tool.id), there.data?.items.map((instance) => instance.name) ?? [])
  const filled = readValues(fields, values)
  const refused = refusalsOf(deploy.error)

  function submit(event: FormEvent): void {
    event.preventDefault()
    setTried(true)
    if (toolboxId === undefined || !filled.ok || !isName(name)) return
    deploy.mutate(
      { params: { toolboxId }, body: { toolId: tool.id, name, config: filled.values as ConfigValues } },
      {
        onSuccess: ({ id }) =>
          void navigate({
            to: '/toolboxes/$toolboxId/tools/$instanceId/{-$tab}',
            params: { toolboxId, instanceId: id, tab: undefined },
          }),
      },
    )
  }

  return (
    <form className="contents" onSubmit={submit}>
      <DialogBody>
        <div className="flex flex-wrap items-center gap-1.5">
          <ToolBadges tool={tool} />
          <code className="wrap-anywhere text-2xs text-ink-faint">
            {tool.package.name} {tool.package.version}
          </code>
        </div>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field
            label="Toolbox"
            required
            problem={
              toolboxes.length === 0
                ? 'There is no toolbox yet.'
                : tried && toolboxId === undefined
                  ? 'Choose where it runs'
                  : undefined
            }
          >
            {(control) => (
              <Select
                {...control}
                value={toolboxId}
                onChange={setToolboxId}
                placeholder="Choose a toolbox"
                options={toolboxes.map((toolbox) => ({
                  value: toolbox.id,
                  label: toolbox.name,
                  note: statusWords(toolbox),
                }))}
              />
            )}
          </Field>
          <NameField
            hint="Prefix of its capabilities for agents"
            value={name}
            onChange={setTypedName}
            tried={tried}
            problem={refused.fields['name'] ?? (isCode(deploy.error, 'name-taken') ? deploy.error.message : undefined)}
          />
        </div>
        {fields.length > 0 && (
          <SchemaForm
            fields={fields}
            values={values}
            onChange={setValues}
            problems={{ ...refused.fields, ...(tried && !filled.ok ? filled.problems : {}) }}
          />
        )}
        {deploy.error && <ProblemNotice error={deploy.error} />}
      </DialogBody>
      <DialogActions>
        <p className="mr-auto text-ink-faint text-xs max-sm:hidden">
          It counts as running once it answers as an MCP server.
        </p>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" pending={deploy.isPending} disabled={toolboxes.length === 0}>
          Deploy
        </Button>
      </DialogActions>
    </form>
  )
}

const isCode = (error: Error | null, code: string): error is ProblemError =>
  error instanceof ProblemError && error.code === code

const refusalsOf = (error: Error | null) =>
  isCode(error, 'invalid-config') || isCode(error, 'invalid-request')
    ? fieldProblemsOf(error.message)
    : { fields: {} as Readonly<Record<string, string>>, rest: [] }
