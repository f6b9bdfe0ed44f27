import { listProviderOptions, listSnapshots } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { Field } from '../../parts/field.tsx'
import { Reading } from '../../parts/reading.tsx'
import { Select } from '../../parts/select.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'

export interface Choice {
  readonly region?: string
  readonly size?: string
  readonly image?: string
}

interface DropletChoiceProps {
  readonly choice: Choice
  readonly onChange: (choice: Choice) => void
  readonly tried: boolean
}

/** Region, size and image of a droplet, with what it costs. */
export function DropletChoice({ choice, onChange, tried }: DropletChoiceProps) {
  const options = useOperation(listProviderOptions, {})
  const snapshots = useOperation(listSnapshots, {}).data?.items ?? []
  const missing = (value: string | undefined) => (tried && value === undefined ? 'Choose one' : undefined)
  // What there is depends on where: until then nothing is wrong with it.
  const missingThere = (value: string | undefined) => (choice.region === undefined ? undefined : missing(value))
  const later = choice.region === undefined ? { placeholder: 'Choose a region first' } : {}
  return (
    <Reading of={options} skeleton={<SkeletonRows rows={3} />}>
      {({ regions, sizes, images }) => {
        const here = ({ regions: where }: { regions: readonly string[] }) =>
          choice.region !== undefined && where.includes(choice.region)
        return (
          <>
            <Field label="Region" required problem={missing(choice.region)}>
              {(control) => (
                <Select
                  {...control}
                  value={choice.region}
                  onChange={(region) => onChange({ region })}
                  options={regions.map(({ slug, name }) => ({ value: slug, label: name, note: slug }))}
                />
              )}
            </Field>
            <Field
              label="Size"
              required
              problem={missingThere(choice.size)}
              hint={priceOf(sizes.find(({ slug }) => slug === choice.size)?.monthlyUsd)}
            >
              {(control) => (
                <Select
                  {...control}
                  value={choice.size}
                  disabled={choice.region === undefined}
                  {...later}
                  onChange={(size) => onChange({ ...choice, size })}
                  options={sizes.filter(here).map(({ slug, memoryMb, vcpus, diskGb, monthlyUsd }) => ({
                    value: slug,
                    label: `${memoryMb / 1_024} GB, ${vcpus} CPU, ${diskGb} GB disk`,
                    note: `$${monthlyUsd} a month`,
                  }))}
                />
              )}
            </Field>
            <Field label="Image" required problem={missingThere(choice.image)}>
              {(control) => (
                <Select
                  {...control}
                  value={choice.image}
                  disabled={choice.region === undefined}
                  {...later}
                  onChange={(image) => onChange({ ...choice, image })}
                  options={[
                    ...images.filter(here).map(({ slug, name }) => ({ value: slug, label: name })),
                    ...snapshots.filter(here).map(({ id, name, toolboxName, minDiskGb }) => ({
                      value: id,
                      label: `Snapshot ${name} of ${toolboxName}`,
                      note: `disk of ${minDiskGb} GB or more`,
                    })),
                  ]}
                />
              )}
            </Field>
          </>
        )
      }}
    </Reading>
  )
}

const priceOf = (monthlyUsd: number | undefined): string =>
  monthlyUsd === undefined ? 'The price is that of DigitalOcean.' : `$${monthlyUsd} a month, also while it is off.`
