import { Tabs as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { cn } from './cn.ts'

interface Tab {
  readonly value: string
  readonly label: ReactNode
  readonly count?: number | undefined
}

interface TabsProps {
  readonly tabs: readonly Tab[]
  readonly value: string
  readonly onChange: (value: string) => void
  readonly label: string
  readonly children: ReactNode
  readonly className?: string
}

/** Panels of which one is shown. Arrow keys move between the tabs. */
export function Tabs({ tabs, value, onChange, label, children, className }: TabsProps) {
  return (
    <Radix.Root value={value} onValueChange={onChange} activationMode="manual" className={className}>
      <Radix.List aria-label={label} className="flex gap-1 overflow-x-auto overflow-y-hidden border-line border-b">
        {tabs.map((tab) => (
          <Radix.Trigger key={tab.value} value={tab.value} className={TAB}>
            {tab.label}
            {tab.count !== undefined && <TabCount>{tab.count}</TabCount>}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {children}
    </Radix.Root>
  )
}

const TAB = cn(
  '-mb-px flex h-10 shrink-0 items-center gap-1.5 border-transparent border-b-2 px-2.5 font-medium text-ink-soft text-sm -outline-offset-2 hover:text-ink',
  'data-[state=active]:border-accent data-[state=active]:text-ink',
)

const TabCount = ({ children }: { children: ReactNode }) => (
  <span className="rounded-full bg-hover px-1.5 text-2xs text-ink-soft tabular-nums">{children}</span>
)

export const TabPanel = ({
  value,
  children,
  className,
}: {
  value: string
  children: ReactNode
  className?: string
}) => (
  <Radix.Content value={value} className={cn('pt-5 outline-offset-4', className)}>
    {children}
  </Radix.Content>
)
