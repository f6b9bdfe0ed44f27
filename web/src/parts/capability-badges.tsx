import { Eye, TriangleAlert } from 'lucide-react'
import { Badge } from './badge.tsx'

export interface CapabilityHints {
  readonly readOnly?: boolean | undefined
  readonly destructive?: boolean | undefined
}

/** What a server says about its capability. It is a stranger's word: a hint, never a permission. */
export const hintsOf = (annotations: Readonly<Record<string, unknown>> = {}): CapabilityHints => ({
  readOnly: annotations['readOnlyHint'] === true,
  destructive: annotations['destructiveHint'] === true && annotations['readOnlyHint'] !== true,
})

export const CapabilityBadges = ({ readOnly, destructive }: CapabilityHints) => (
  <>
    {readOnly && (
      <Badge>
        <Eye />
        reads only
      </Badge>
    )}
    {destructive && (
      <Badge className="border-warn/40 text-warn">
        <TriangleAlert />
        destructive
      </Badge>
    )}
  </>
)
