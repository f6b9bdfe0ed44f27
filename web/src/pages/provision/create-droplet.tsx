import { listProviderOptions } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'

interface CreateDropletProps {
  /** Slug of the size that was chosen. */
  readonly size: string | undefined
  readonly pending: boolean
  readonly disabled: boolean
}

/** The button from which on a droplet costs: it says how much. */
export function CreateDroplet({ size, pending, disabled }: CreateDropletProps) {
  const { data } = useOperation(listProviderOptions, {}, { enabled: size !== undefined })
  const chosen = data?.sizes.find(({ slug }) => slug === size)
  return (
    <Button type="submit" kind="primary" pending={pending} disabled={disabled}>
      {chosen ? `Create for $${chosen.monthlyUsd} a month` : 'Create'}
    </Button>
  )
}
