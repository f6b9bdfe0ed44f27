import { cn } from './cn.ts'
import { CopyButton } from './copyable.tsx'

/** JSON as text, to read and to copy. Never interpreted. */
export function JsonView({ value, what, className }: { value: unknown; what: string; className?: string }) {
  return <CodeBlock text={JSON.stringify(value, null, 2) ?? 'undefined'} what={what} className={className} />
}

export const CodeBlock = ({
  text,
  what,
  className,
}: {
  text: string
  what: string
  className?: string | undefined
}) => (
  <div className={cn('group relative rounded-md border border-line bg-sunken', className)}>
    <section aria-label={what} className="max-h-96 overflow-auto">
      <pre className="wrap-anywhere whitespace-pre-wrap p-3 pr-10 text-ink text-xs leading-5">{text}</pre>
    </section>
    <CopyButton text={text} what={what} className="absolute top-1.5 right-1.5 bg-sunken" />
  </div>
)
