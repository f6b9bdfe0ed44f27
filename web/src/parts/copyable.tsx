import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { notify } from '../shell/notices.ts'
import { Button, type ButtonProps } from './button.tsx'
import { cn } from './cn.ts'

/** Copies; says so for a moment. Where the page may not write the clipboard, it says that instead. */
function useCopy(text: string): { readonly copied: boolean; readonly copy: () => void } {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1_600)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = () => {
    writeClipboard(text).then(
      () => setCopied(true),
      () =>
        notify({ tone: 'warn', text: 'The browser did not let the page copy. Select the text and copy it by hand.' }),
    )
  }
  return { copied, copy }
}

/** Plain HTTP pages have no clipboard but the old command. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  ;(document.querySelector('[role=dialog]') ?? document.body).append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  if (!done) throw new Error('the browser refused')
}

interface CopyButtonProps extends Omit<ButtonProps, 'children' | 'onClick'> {
  readonly text: string
  /** What is copied, for whoever does not see the icon. */
  readonly what: string
  readonly children?: string
}

export function CopyButton({ text, what, children, ...props }: CopyButtonProps) {
  const { copied, copy } = useCopy(text)
  const Icon = copied ? Check : Copy
  return (
    <Button
      kind="quiet"
      size={children ? 'small' : 'tiny'}
      onClick={copy}
      aria-label={children ? undefined : `Copy ${what}`}
      title={`Copy ${what}`}
      {...props}
    >
      <Icon className={copied ? 'text-ok' : undefined} />
      {children}
      <span aria-live="polite" className="sr-only">
        {copied ? 'Copied' : ''}
      </span>
    </Button>
  )
}

/** An identifier that is copied by a click. */
export function CopyableId({ id, className }: { id: string; className?: string }) {
  const { copied, copy } = useCopy(id)
  return (
    <button
      type="button"
      onClick={copy}
      title={`Copy ${id}`}
      className={cn(
        'group inline-flex max-w-full items-center gap-1 rounded-sm font-mono text-ink-soft text-xs hover:text-ink',
        className,
      )}
    >
      <span className="truncate">{id}</span>
      {copied ? (
        <Check className="size-3 shrink-0 text-ok" />
      ) : (
        <Copy className="size-3 shrink-0 opacity-40 group-hover:opacity-100 group-focus-visible:opacity-100" />
      )}
      <span aria-live="polite" className="sr-only">
        {copied ? 'Copied' : 'Copy'}
      </span>
    </button>
  )
}
