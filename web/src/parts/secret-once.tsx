import { CopyButton } from './copyable.tsx'

/** A secret, for the only time it can be seen. */
export const SecretOnce = ({ secret, what }: { secret: string; what: string }) => (
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
)
