import type { ImageArchive } from '@agentopia/api'
import { FileUp } from 'lucide-react'
import { useRef } from 'react'
import { Button } from '../parts/button.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { Progress } from '../parts/progress.tsx'
import { bytes } from '../words/quantity.ts'
import type { PushStep } from './archive-push.ts'
import { type ArchivePush, useArchivePush } from './use-archive-push.ts'

/** What `docker save` writes, as it is or compressed. */
const FILES = '.tar,.tar.gz,.tgz,application/x-tar,application/gzip'

interface ArchivePickerProps {
  readonly onPushed?: (archive: ImageArchive) => void
}

/** Pushes the archive of an image from this computer to the control plane. */
export function ArchivePicker({ onPushed = () => {} }: ArchivePickerProps) {
  const { running, pushed, error, push, again, cancel } = useArchivePush(onPushed)
  const input = useRef<HTMLInputElement>(null)
  return (
    <div className="flex flex-col gap-2">
      <input
        ref={input}
        type="file"
        hidden
        accept={FILES}
        onChange={({ target }) => {
          const [file] = target.files ?? []
          target.value = '' // the same file may be chosen again
          if (file) push(file)
        }}
      />
      {running ? (
        <Running running={running} onCancel={cancel} />
      ) : (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Button size="small" onClick={() => input.current?.click()}>
            <FileUp />
            Push an archive from this computer
          </Button>
          <p className="text-ink-faint text-xs">As docker save writes it. A push that was interrupted goes on.</p>
        </div>
      )}
      <p role="status" className={running ? 'sr-only' : 'text-ink text-xs empty:hidden'}>
        {running ? SAID[running.phase] : pushed && `${pushed.image ?? 'An image without a name'} is here`}
      </p>
      {error !== null && <ProblemNotice error={error} onRetry={again} />}
    </div>
  )
}

const SAID = {
  reading: 'Reading',
  sending: 'Sending',
  waiting: 'The line broke; it goes on by itself',
  checking: 'Sending the last part; then it is looked at',
} as const satisfies Record<PushStep['phase'], string>

interface RunningProps {
  readonly running: NonNullable<ArchivePush['running']>
  readonly onCancel: () => void
}

function Running({ running: { phase, name, size, bytes: done }, onCancel }: RunningProps) {
  return (
    <div className="flex items-center gap-3 rounded-lg border border-line px-4 py-3">
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <p className="flex justify-between gap-3">
          <span className="truncate font-medium text-ink">{name}</span>
          <span className="shrink-0 text-ink-soft tabular-nums">
            {bytes(done)} of {bytes(size)}
          </span>
        </p>
        <Progress label={`${name} on its way`} value={phase === 'checking' ? undefined : (done / size) * 100} />
        <p aria-hidden className="text-ink-faint text-xs">
          {SAID[phase]}
        </p>
      </div>
      <Button size="small" aria-label={`Cancel the push of ${name}`} onClick={onCancel}>
        Cancel
      </Button>
    </div>
  )
}
