import { Direct } from '@agentopia/api'
import { Field } from './field.tsx'
import { Input } from './input.tsx'

/** Where a toolbox is dialled, as it is typed. */
export interface Address {
  readonly address: string
  readonly port: string
}

interface AddressFieldsProps {
  readonly label: string
  readonly value: Address
  readonly onChange: (value: Address) => void
  /** Somebody has tried to go on: what is wrong is said from now on. */
  readonly tried: boolean
  /** What is used when no port is typed; absent: one must be. */
  readonly portWithout?: string
}

/** An address and a port. */
export const AddressFields = ({ label, value, onChange, tried, portWithout }: AddressFieldsProps) => (
  <div className="grid grid-cols-[1fr_7rem] gap-3">
    <Field
      label={label}
      required
      problem={tried && !isAddress(value.address) ? 'An IP address, or a name in lower case' : undefined}
    >
      {(control) => (
        <Input
          {...control}
          spellCheck={false}
          placeholder="203.0.113.7"
          value={value.address}
          onChange={(event) => onChange({ ...value, address: event.target.value.trim() })}
        />
      )}
    </Field>
    <Field
      label="Port"
      required={portWithout === undefined}
      problem={tried && !isPort(value.port, portWithout !== undefined) ? '1 to 65535' : undefined}
    >
      {(control) => (
        <Input
          {...control}
          inputMode="numeric"
          placeholder={portWithout}
          value={value.port}
          onChange={(event) => onChange({ ...value, port: event.target.value.trim() })}
        />
      )}
    </Field>
  </div>
)

/** Whether a toolbox can be dialled there. @param portMayLack Another one is used then. */
export const isWhere = ({ address, port }: Address, portMayLack = false): boolean =>
  isAddress(address) && isPort(port, portMayLack)

const isAddress = (address: string): boolean => address !== '' && Direct.shape.address.safeParse(address).success
const isPort = (port: string, mayLack: boolean): boolean =>
  (mayLack && port === '') || Direct.shape.port.safeParse(Number(port)).success
