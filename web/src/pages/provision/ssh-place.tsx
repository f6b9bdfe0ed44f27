import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'

export interface Place {
  readonly host: string
  readonly port: string
  readonly user: string
}

interface SshPlaceFieldsProps {
  readonly place: Place
  readonly onChange: (place: Place) => void
  readonly tried: boolean
}

/** Where a server listens for SSH, and as whom the control plane comes. */
export const SshPlaceFields = ({ place, onChange, tried }: SshPlaceFieldsProps) => (
  <>
    <div className="flex gap-3">
      <Field label="Host" required className="flex-1" problem={tried && place.host === '' ? 'Needed' : undefined}>
        {(control) => (
          <Input
            {...control}
            value={place.host}
            placeholder="server.example.org"
            onChange={(event) => onChange({ ...place, host: event.target.value.trim() })}
          />
        )}
      </Field>
      <Field label="Port" className="w-24">
        {(control) => (
          <Input
            {...control}
            inputMode="numeric"
            value={place.port}
            onChange={(event) => onChange({ ...place, port: event.target.value.replace(/\D/g, '') })}
          />
        )}
      </Field>
    </div>
    <Field label="User" hint="Another one than root needs sudo there.">
      {(control) => (
        <Input
          {...control}
          value={place.user}
          onChange={(event) => onChange({ ...place, user: event.target.value.trim() })}
        />
      )}
    </Field>
  </>
)
