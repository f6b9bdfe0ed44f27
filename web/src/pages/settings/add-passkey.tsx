import { useState } from 'react'
import { useNewPasskey } from '../../api/passkey.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'

/** Asks for a name; then the browser asks for the rest. */
export function AddPasskey({ onClose }: { onClose: () => void }) {
  const add = useNewPasskey()
  const [name, setName] = useState('')

  return (
    <Dialog
      open
      onClose={onClose}
      size="small"
      title="Add a passkey"
      description="Your browser asks where to keep it: on this device, in a password manager, or on a security key."
    >
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim() === '') return
          add.mutate(name.trim(), { onSuccess: onClose })
        }}
      >
        <DialogBody>
          <Field label="Name" required hint="To tell passkeys apart, for example the device">
            {(control) => (
              <Input
                {...control}
                autoFocus
                maxLength={100}
                placeholder="laptop"
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          {add.error && <ProblemNotice error={add.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" pending={add.isPending} disabled={name.trim() === ''}>
            Add
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
