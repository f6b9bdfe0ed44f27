import { type ReactNode, useState } from 'react'
import { Button } from './button.tsx'
import { Dialog, DialogActions, DialogBody } from './dialog.tsx'
import { Field } from './field.tsx'
import { Input } from './input.tsx'
import { ProblemNotice } from './problem-notice.tsx'

interface ConfirmByNameProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: string
  /** What will be gone. */
  readonly children: ReactNode
  /** What must be typed. */
  readonly name: string
  /** What the button says. */
  readonly verb: string
  readonly pending: boolean
  readonly error: unknown
  readonly onConfirm: () => void
}

/** For what cannot be undone: the name is typed, and only then the button works. */
export function ConfirmByName({
  open,
  onClose,
  title,
  children,
  name,
  verb,
  pending,
  error,
  onConfirm,
}: ConfirmByNameProps) {
  const [typed, setTyped] = useState('')
  const close = () => {
    setTyped('')
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} title={title} size="small">
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          if (typed === name && !pending) onConfirm()
        }}
      >
        <DialogBody>
          <div className="text-pretty text-ink-soft">{children}</div>
          <Field
            label={
              <>
                Type <code className="rounded-sm bg-hover px-1 py-0.5">{name}</code> to confirm
              </>
            }
          >
            {(control) => (
              <Input
                {...control}
                autoFocus
                spellCheck={false}
                value={typed}
                onChange={(e) => setTyped(e.target.value)}
              />
            )}
          </Field>
          {error !== null && error !== undefined && <ProblemNotice error={error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" kind="destroy" disabled={typed !== name} pending={pending}>
            {verb}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
