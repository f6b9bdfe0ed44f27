import type { ComponentProps } from 'react'
import { cn } from './cn.ts'

const look =
  'w-full rounded-md border border-line-strong bg-surface px-2.5 text-ink text-sm shadow-card transition-colors hover:border-ink-faint/60 focus-visible:border-accent focus-visible:outline-2 focus-visible:outline-offset-0 disabled:opacity-50 aria-invalid:border-bad'

export const Input = ({ className, ...props }: ComponentProps<'input'>) => (
  <input autoComplete="off" className={cn(look, 'h-8.5', className)} {...props} />
)

export const TextArea = ({ className, ...props }: ComponentProps<'textarea'>) => (
  <textarea className={cn(look, 'min-h-20 py-1.5 leading-5', className)} {...props} />
)
