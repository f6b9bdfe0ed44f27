import { Direct } from '@agentopia/api'
import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'
import { Select } from '../../parts/select.tsx'

/** What was chosen about who dials whom. */
export interface DirectRoad {
  readonly on: boolean
  readonly address: string
  readonly port: string
}

const ROADS = [
  { value: 'tunnel', label: 'It dials the control plane', note: 'no open port' },
  { value: 'direct', label: 'The control plane dials it', note: 'by https' },
] as const

const isAddress = (address: string): boolean => address !== '' && Direct.shape.address.safeParse(address).success
const isPort = (port: string): boolean => Direct.shape.port.safeParse(Number(port)).success

/** Whether it can be asked for like this. */
export const isDirectRoad = ({ on, address, port }: DirectRoad): boolean => !on || (isAddress(address) && isPort(port))

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
      <div className="grid grid-cols-[1fr_6rem] gap-3">
        <Field
          label="Address of the server"
          required
          problem={tried && !isAddress(road.address) ? 'An IP address, or a name in lower case' : undefined}
        >
          {(control) => (
            <Input
              {...control}
              spellCheck={false}
              placeholder="203.0.113.7"
              value={road.address}
              onChange={(event) => onChange({ ...road, address: event.target.value.trim() })}
            />
          )}
        </Field>
        <Field label="Port" required problem={tried && !isPort(road.port) ? '1 to 65535' : undefined}>
          {(control) => (
            <Input
              {...control}
              inputMode="numeric"
              value={road.port}
              onChange={(event) => onChange({ ...road, port: event.target.value })}
            />
          )}
        </Field>
      </div>
    )}
  </>
)
