import { X } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { cn } from './cn.ts'

interface DialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: ReactNode
  readonly description?: ReactNode
  readonly size?: 'small' | 'normal' | 'wide'
  readonly children: ReactNode
}

const WIDTH = { small: 'sm:max-w-md', normal: 'sm:max-w-xl', wide: 'sm:max-w-3xl' } as const

/** A dialog: in the middle of a wide screen, at the bottom of a narrow one. Esc and the cross close it. */
export function Dialog({ open, onClose, title, description, size = 'normal', children }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-50 animate-appear bg-shade backdrop-blur-[2px]" />
        <Radix.Content
          aria-describedby={description ? undefined : ''}
          className={cn(
            'fixed inset-x-0 bottom-0 z-50 mx-auto flex max-h-[92dvh] w-full animate-rise flex-col rounded-t-xl border border-line bg-surface shadow-float outline-none sm:top-1/2 sm:bottom-auto sm:max-h-[86dvh] sm:-translate-y-1/2 sm:rounded-xl',
            WIDTH[size],
          )}
        >
          <header className="border-line border-b px-5 py-4">
            <div className="pr-8">
              <Radix.Title className="font-semibold text-ink text-lg">{title}</Radix.Title>
              {description && (
                <Radix.Description className="mt-0.5 text-pretty text-ink-soft text-sm">
                  {description}
                </Radix.Description>
              )}
            </div>
          </header>
          {children}
          {/* Last, so that the first control of the dialog gets the focus. */}
          <Radix.Close
            aria-label="Close"
            className="absolute top-3 right-3.5 grid size-8 place-items-center rounded-md text-ink-faint hover:bg-hover hover:text-ink"
          >
            <X className="size-4" />
          </Radix.Close>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

export const DialogBody = ({ className, children }: { className?: string; children: ReactNode }) => (
  <div className={cn('flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4', className)}>{children}</div>
)

export const DialogActions = ({ children }: { children: ReactNode }) => (
  <footer className="flex flex-wrap items-center justify-end gap-2 border-line border-t bg-canvas/60 px-5 py-3.5 pb-[max(0.875rem,env(safe-area-inset-bottom))] sm:rounded-b-xl">
    {children}
  </footer>
)
