import { type Address, AddressFields, isWhere } from '../../parts/address-fields.tsx'
import { Field } from '../../parts/field.tsx'
import { Select } from '../../parts/select.tsx'

/** What was chosen about who dials whom. */
export interface DirectRoad extends Address {
  readonly on: boolean
}

const ROADS = [
  { value: 'tunnel', label: 'It dials the control plane', note: 'no open port' },
  { value: 'direct', label: 'The control plane dials it', note: 'by https' },
] as const

/** Whether it can be asked for like this. */
export const isDirectRoad = (road: DirectRoad): boolean => !road.on || isWhere(road)

export const directPart = ({ on, address, port }: DirectRoad) => (on ? { direct: { address, port: Number(port) } } : {})

interface DirectChoiceProps {
  readonly road: DirectRoad
  readonly onChange: (road: DirectRoad) => void
  readonly tried: boolean
  /** A server of one's own: nobody but its owner knows its address. */
  readonly ofServer: boolean
}

/** Who dials whom, and where. */
export const DirectChoice = ({ road, onChange, tried, ofServer }: DirectChoiceProps) => (
  <>
    <Field
      label="Connection"
      hint={
        road.on
          ? 'Nothing is sent before it has shown the key that it enrolled with.'
          : 'Works behind a router and every firewall that lets it out.'
      }
    >
      {(control) => (
        <Select
          {...control}
          value={road.on ? 'direct' : 'tunnel'}
          onChange={(value) => onChange({ ...road, on: value === 'direct' })}
          options={ROADS}
        />
      )}
    </Field>
    {road.on && ofServer && (
      <AddressFields
        label="Address of the server"
        value={road}
        onChange={(place) => onChange({ ...road, ...place })}
        tried={tried}
      />
    )}
  </>
)
