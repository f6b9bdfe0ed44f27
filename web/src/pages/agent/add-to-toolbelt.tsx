import {
  type Agent,
  addToolbeltItem,
  listCapabilities,
  listInstances,
  listToolboxes,
  type ToolbeltItem,
  type ToolInstance,
} from '@agentopia/api'
import { useQueries } from '@tanstack/react-query'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { readingOf, useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { hintsOf } from '../../parts/capability-badges.tsx'
import { cn } from '../../parts/cn.ts'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { stateWords, toneOfInstance } from '../../words/instance-state.ts'
import { PRESETS, type Preset } from '../../words/permissions.ts'
import { count } from '../../words/quantity.ts'

interface AddToToolbeltProps {
  readonly agent: Agent
  readonly taken: readonly ToolbeltItem[]
  readonly onClose: () => void
}

/** Chooses a tool instance of the agent's toolboxes, and what of it is allowed from the start. */
export function AddToToolbelt({ agent, taken, onClose }: AddToToolbeltProps) {
  const toolboxes = useOperation(listToolboxes, { query: {} })
  const granted = toolboxes.data?.items.filter(({ id }) => agent.toolboxIds.includes(id)) ?? []
  const instances = useQueries({
    queries: granted.map(({ id }) => readingOf(listInstances, { params: { toolboxId: id }, query: {} })),
  }).flatMap(({ data }) => data?.items ?? [])
  const free = instances.filter(
    ({ id, desired }) => desired !== 'absent' && !taken.some(({ instanceId }) => instanceId === id),
  )
  const nameOf = new Map(granted.map(({ id, name }) => [id, name]))
  const [chosen, setChosen] = useState<string>()
  const [preset, setPreset] = useState<Preset>('none')
  const instance = free.find(({ id }) => id === chosen)
  const add = useAction(addToolbeltItem)
  const allow = useAllowed(instance, preset)

  return (
    <Dialog
      open
      onClose={onClose}
      title="Add a tool to the toolbelt"
      description={`Tools of the toolboxes that ${agent.name} has access to.`}
    >
      <DialogBody>
        {free.length === 0 ? (
          <p className="py-6 text-center text-ink-soft">
            {granted.length === 0
              ? 'The agent has no access to a toolbox yet. Grant it under Toolbox access.'
              : 'Every tool of its toolboxes is in the toolbelt already.'}
          </p>
        ) : (
          <div
            role="radiogroup"
            aria-label="Tool instance"
            className="divide-y divide-line overflow-hidden rounded-lg border border-line"
          >
            {free.map((one) => (
              <Choice
                key={one.id}
                instance={one}
                toolbox={nameOf.get(one.toolboxId) ?? ''}
                checked={one.id === chosen}
                onChoose={() => setChosen(one.id)}
              />
            ))}
          </div>
        )}
        {instance && <PresetChoice preset={preset} onChoose={setPreset} allowed={allow} of={instance} />}
        {add.error && <ProblemNotice error={add.error} />}
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="primary"
          disabled={!instance || allow === undefined}
          pending={add.isPending}
          onClick={() =>
            instance &&
            allow &&
            add.mutate(
              { params: { agentId: agent.id }, body: { instanceId: instance.id, allow: [...allow] } },
              { onSuccess: onClose },
            )
          }
        >
          Add
        </Button>
      </DialogActions>
    </Dialog>
  )
}

/** The names that the preset allows; `undefined` until they are known. */
function useAllowed(instance: ToolInstance | undefined, preset: Preset): readonly string[] | undefined {
  const { toolboxId = '', id = '' } = instance ?? {}
  const read = useOperation(
    listCapabilities,
    { params: { toolboxId, instanceId: id } },
    { enabled: instance !== undefined },
  )
  if (preset === 'none') return []
  return read.data?.capabilities.filter((one) => PRESETS[preset](hintsOf(one.annotations))).map(({ name }) => name)
}

interface ChoiceProps {
  readonly instance: ToolInstance
  readonly toolbox: string
  readonly checked: boolean
  readonly onChoose: () => void
}

const Choice = ({ instance, toolbox, checked, onChoose }: ChoiceProps) => (
  <label
    className={cn('flex cursor-pointer items-center gap-3 px-3.5 py-2.5 hover:bg-canvas', checked && 'bg-accent-soft')}
  >
    <input type="radio" name="instance" checked={checked} onChange={onChoose} className="size-4 accent-accent" />
    <span className="min-w-0 flex-1">
      <span className="block truncate font-medium">{instance.name}</span>
      <span className="block text-ink-faint text-xs">
        on {toolbox}
        {instance.capabilityCount !== undefined && `, ${count(instance.capabilityCount, 'capability', 'capabilities')}`}
      </span>
    </span>
    <span className="flex items-center gap-1.5 text-ink-soft text-xs">
      <Glyph tone={toneOfInstance(instance)} />
      {stateWords(instance)}
    </span>
  </label>
)

const PRESET_CHOICES = [
  ['none', 'Nothing yet', 'Each capability is allowed by hand afterwards'],
  ['read-only', 'What only reads', 'By what the server says about itself'],
  ['all', 'Everything', 'All that it offers today'],
] as const satisfies readonly (readonly [Preset, string, string])[]

interface PresetChoiceProps {
  readonly preset: Preset
  readonly onChoose: (preset: Preset) => void
  readonly allowed: readonly string[] | undefined
  readonly of: ToolInstance
}

const PresetChoice = ({ preset, onChoose, allowed, of }: PresetChoiceProps) => (
  <fieldset>
    <legend className="mb-1.5 font-medium text-xs">Allowed from the start</legend>
    <div className="grid gap-2 sm:grid-cols-3">
      {PRESET_CHOICES.map(([value, words, note]) => (
        <label
          key={value}
          className={cn(
            'cursor-pointer rounded-md border border-line px-3 py-2 has-focus-visible:outline-2 has-focus-visible:outline-accent',
            preset === value && 'border-accent bg-accent-soft',
          )}
        >
          <input
            type="radio"
            name="preset"
            className="sr-only"
            checked={preset === value}
            onChange={() => onChoose(value)}
          />
          <span className="block font-medium">{words}</span>
          <span className="block text-pretty text-ink-faint text-xs">{note}</span>
        </label>
      ))}
    </div>
    <p role="status" className="mt-2 text-ink-faint text-xs tabular-nums">
      {allowed === undefined
        ? 'Reading its capabilities'
        : `${allowed.length} of ${count(of.capabilityCount ?? 0, 'capability', 'capabilities')} allowed`}
    </p>
  </fieldset>
)
