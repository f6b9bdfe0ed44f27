import type { ComponentProps, ReactNode } from 'react'
import { cn } from './cn.ts'

interface TableProps {
  readonly label: string
  readonly columns: readonly (readonly [key: string, head: ReactNode, className?: string])[]
  readonly children: ReactNode
}

/** Rows of like things. Scrolls sideways by itself where the screen is narrow. */
export const Table = ({ label, columns, children }: TableProps) => (
  <section aria-label={label} className="relative overflow-x-auto">
    <table className="w-full border-collapse text-left text-sm">
      <thead>
        <tr className="border-line border-b text-ink-faint text-xs">
          {columns.map(([key, head, className]) => (
            <th key={key} scope="col" className={cn('h-9 whitespace-nowrap px-4 font-medium', className)}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="divide-y divide-line">{children}</tbody>
    </table>
  </section>
)

/** The head of a column whose cells say by themselves what they do; for those who hear the page. */
export const unseen = (word: string) => <span className="sr-only">{word}</span>

export const Row = ({ className, ...props }: ComponentProps<'tr'>) => (
  <tr className={cn('relative transition-colors hover:bg-canvas', className)} {...props} />
)

export const Cell = ({ className, ...props }: ComponentProps<'td'>) => (
  <td className={cn('h-11 px-4 py-1.5 align-middle', className)} {...props} />
)
