import { ProblemError } from '@agentopia/api'
import type { ReactNode } from 'react'
import { ProblemNotice } from './problem-notice.tsx'
import { SkeletonRows } from './skeleton.tsx'

interface Read<Data> {
  readonly data: Data | undefined
  readonly error: Error | null
  readonly refetch: () => unknown
}

interface ReadingProps<Data> {
  readonly of: Read<Data>
  /** The place that the answer will take. */
  readonly skeleton?: ReactNode
  readonly children: (data: Data) => ReactNode
}

/** What was read, or its place while it is on its way, or why it could not be. An old answer beats none, unless the thing is gone. */
export function Reading<Data>({ of, skeleton, children }: ReadingProps<Data>) {
  const gone = of.error instanceof ProblemError && [403, 404].includes(of.error.kind.status)
  if (of.data !== undefined && !gone) return children(of.data)
  if (of.error) return <ProblemNotice error={of.error} onRetry={() => void of.refetch()} />
  return skeleton ?? <SkeletonRows />
}
