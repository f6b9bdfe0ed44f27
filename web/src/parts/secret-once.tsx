import type { ReactNode } from 'react'
import { Button } from './button.tsx'
import { CopyButton } from './copyable.tsx'
import { Dialog, DialogActions, DialogBody } from './dialog.tsx'

interface SecretOnceProps {
  readonly title: string
  readonly description?: string
  readonly secret: string
  /** What is copied: `the link`. */
  readonly what: string
  readonly size?: 'normal' | 'wide'
  readonly onClose: () => void
  /** What is to be done with it. */
  readonly children?: ReactNode
}

/** Shows a secret, for the only time it can be seen. */
export const SecretOnce = ({
  title,
  description,
  secret,
  what,
  size = 'normal',
  onClose,
  children,
}: SecretOnceProps) => (
  <Dialog open onClose={onClose} size={size} title={title} description={description}>
    <DialogBody>
      <div>
        <p className="mb-1.5 text-pretty text-ink-soft">
          This is the only time that the secret can be seen. Copy it now; the control plane keeps only its digest.
        </p>
        <div className="flex items-center gap-2 rounded-md border border-copper/60 bg-warn-soft py-1.5 pr-1.5 pl-3">
          <code data-secret className="wrap-anywhere flex-1 text-sm">
            {secret}
          </code>
          <CopyButton kind="plain" text={secret} what={what}>
            Copy
          </CopyButton>
        </div>
      </div>
      {children}
    </DialogBody>
    <DialogActions>
      <Button kind="primary" onClick={onClose}>
        I have it
      </Button>
    </DialogActions>
  </Dialog>
)
