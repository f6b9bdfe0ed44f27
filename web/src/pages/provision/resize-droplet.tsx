import { listProviderOptions, type Toolbox } from '@agentopia/api'
import { useState } from 'react'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { Select } from '../../parts/select.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { useDropletAction } from './use-droplet-action.ts'

/** Another size, with what it costs instead. */
export function ResizeDroplet({ toolbox, onClose }: { toolbox: Toolbox; onClose: () => void }) {
  const { ask, isPending, error } = useDropletAction(toolbox, onClose)
  const options = useOperation(listProviderOptions, {})
  const [size, setSize] = useState<string>()
  const { placement } = toolbox
  const sizes = options.data?.sizes ?? []
  const present = sizes.find(({ slug }) => slug === placement?.size)
  const chosen = sizes.find(({ slug }) => slug === size)
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Resize ${toolbox.name}`}
      description="It is off for a few minutes, with its tools. Its disk stays as it is, so that it may become smaller again."
    >
      <DialogBody>
        <Reading of={options} skeleton={<SkeletonRows rows={2} />}>
          {() => (
            <Field
              label="Size"
              hint={
                chosen
                  ? `$${chosen.monthlyUsd} a month instead of $${placement?.monthlyUsd ?? '?'}.`
                  : 'Sizes with a smaller disk cannot be had.'
              }
            >
              {(control) => (
                <Select
                  {...control}
                  value={size}
                  onChange={setSize}
                  options={sizes
                    .filter(({ regions }) => placement === undefined || regions.includes(placement.region))
                    .map(({ slug, memoryMb, vcpus, diskGb, monthlyUsd }) => ({
                      value: slug,
                      label: `${memoryMb / 1_024} GB, ${vcpus} CPU`,
                      note: slug === placement?.size ? 'as it is' : `$${monthlyUsd} a month`,
                      disabled: slug === placement?.size || diskGb < (present?.diskGb ?? 0),
                    }))}
                />
              )}
            </Field>
          )}
        </Reading>
        {error && <ProblemNotice error={error} />}
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="primary"
          disabled={chosen === undefined}
          pending={isPending}
          onClick={() => chosen && ask({ kind: 'resize', size: chosen.slug })}
        >
          {chosen ? `Resize for $${chosen.monthlyUsd} a month` : 'Resize'}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
