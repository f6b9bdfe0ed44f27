import { createToolbox, DTMA_PORT, getProvider, type InstallVariant, type Toolbox } from '@agentopia/api'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { isName, NameField } from '../../parts/name-field.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Select } from '../../parts/select.tsx'
import { CreateDroplet } from './create-droplet.tsx'
import { DirectChoice, type DirectRoad, directPart, isDirectRoad } from './direct-choice.tsx'
import { type Choice, DropletChoice } from './droplet-choice.tsx'
import { JoinInstructions } from './join-instructions.tsx'
import { type Place, SshPlaceFields } from './ssh-place.tsx'
import { SshSession } from './ssh-session.tsx'
import { VariantChoice } from './variant-choice.tsx'

const PROVIDERS = [
  { value: 'join', label: 'A server of your own', note: 'by one pasted line' },
  { value: 'ssh', label: 'A server over SSH', note: 'the control plane comes to it' },
  { value: 'digitalocean', label: 'A new droplet', note: 'at DigitalOcean' },
] as const
type Kind = (typeof PROVIDERS)[number]['value']

/** Asks for a toolbox; a server of one's own then gets its line. */
export function AddToolbox({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const create = useAction(createToolbox)
  const provider = useOperation(getProvider, {})
  const [kind, setKind] = useState<Kind>('join')
  const [name, setName] = useState('')
  const [variant, setVariant] = useState<InstallVariant>('docker')
  const [choice, setChoice] = useState<Choice>({})
  const [direct, setDirect] = useState<DirectRoad>({ on: false, address: '', port: String(DTMA_PORT) })
  const [place, setPlace] = useState<Place>({ host: '', port: '22', user: 'root' })
  const [tried, setTried] = useState(false)
  const [joining, setJoining] = useState<Toolbox>()
  const valid = isName(name) && (kind !== 'join' || isDirectRoad(direct))
  const { region, size, image } = choice

  if (joining?.provider === 'ssh') return <SshSession toolbox={joining} onClose={onClose} />
  if (joining) return <JoinInstructions toolbox={joining} onClose={onClose} />
  const console = (toolboxId: string) => void navigate({ to: '/toolboxes/$toolboxId/{-$tab}', params: { toolboxId } })
  const submit = () => {
    setTried(true)
    if (!valid) return
    if (kind === 'join')
      return create.mutate(
        { body: { provider: 'join', name, variant, ...directPart(direct) } },
        { onSuccess: (toolbox) => setJoining(toolbox) },
      )
    if (kind === 'ssh') {
      const { host, port, user } = place
      if (host === '') return
      return create.mutate(
        { body: { provider: 'ssh', name, variant, host, port: Number(port || 22), user: user || 'root' } },
        { onSuccess: (toolbox) => setJoining(toolbox) },
      )
    }
    if (region && size && image)
      create.mutate(
        { body: { provider: 'digitalocean', name, variant, region, size, image, direct: direct.on } },
        { onSuccess: ({ id }) => console(id) },
      )
  }
  const unconfigured = kind === 'digitalocean' && provider.data?.configured === false
  return (
    <Dialog open onClose={onClose} title="Add a toolbox" description="A machine of your own that runs tools.">
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <DialogBody>
          <Field label="What it is">
            {(control) => (
              <Select {...control} value={kind} onChange={(value) => setKind(value as Kind)} options={PROVIDERS} />
            )}
          </Field>
          <NameField value={name} onChange={setName} tried={tried} placeholder="alpha" autoFocus />
          {kind === 'ssh' && <SshPlaceFields place={place} onChange={setPlace} tried={tried} />}
          {unconfigured && (
            <p className="text-pretty text-ink-soft">
              Your account has no token of DigitalOcean yet. An administrator gives one under Settings.
            </p>
          )}
          {kind === 'digitalocean' && provider.data?.configured && (
            <DropletChoice choice={choice} onChange={setChoice} tried={tried} />
          )}
          <VariantChoice value={variant} onChange={setVariant} />
          {kind !== 'ssh' && (
            <DirectChoice road={direct} onChange={setDirect} tried={tried} ofServer={kind === 'join'} />
          )}
          {create.error && <ProblemNotice error={create.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          {kind === 'digitalocean' ? (
            <CreateDroplet size={size} pending={create.isPending} disabled={unconfigured} />
          ) : (
            <Button type="submit" kind="primary" pending={create.isPending}>
              {{ join: 'Show its line', ssh: 'Look at its host key' }[kind]}
            </Button>
          )}
        </DialogActions>
      </form>
    </Dialog>
  )
}
