import { type Approval, decideApproval } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Check, CheckCheck, X } from 'lucide-react'
import { useId, useState } from 'react'
import { useMay } from '../api/me.ts'
import { useAction } from '../api/use-action.ts'
import { useNow } from '../api/use-now.ts'
import { spanOf } from '../words/relative-time.ts'
import { Button } from './button.tsx'
import { CapabilityBadges } from './capability-badges.tsx'
import { Card } from './card.tsx'
import { Input } from './input.tsx'
import { CodeBlock } from './json-view.tsx'
import { ProblemNotice } from './problem-notice.tsx'
import { RelativeTime } from './relative-time.tsx'

/** Fills a narrow screen, where they stand below the reason. */
const ANSWER = 'flex-1 sm:flex-none'

/** One call that waits for a person: who wants what with which arguments, and the answers to it. */
export function ApprovalCard({ approval }: { approval: Approval }) {
  const { id, agentId, agentName, instanceName, capability, readOnly, destructive, askedAt } = approval
  const decide = useAction(decideApproval)
  const may = useMay('operator')
  const [reason, setReason] = useState('')
  const reasonId = useId()
  const answer = (decision: 'approve' | 'deny', always = false) =>
    decide.mutate({
      params: { approvalId: id },
      body: { decision, always, ...(decision === 'deny' ? { reason } : {}) },
    })
  return (
    <Card className="overflow-hidden">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-3">
        <div className="min-w-0 flex-1">
          <h2 className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <code className="wrap-anywhere font-semibold text-sm">
              <span className="text-ink-faint">{instanceName}__</span>
              {capability}
            </code>
            <CapabilityBadges readOnly={readOnly} destructive={destructive} />
          </h2>
          <p className="mt-0.5 text-ink-soft text-xs">
            <Link
              to="/agents/$agentId/{-$tab}"
              params={{ agentId, tab: undefined }}
              className="font-medium text-ink underline-offset-2 hover:underline"
            >
              {agentName}
            </Link>{' '}
            asked <RelativeTime at={askedAt} />
          </p>
        </div>
        <TimeLeft approval={approval} />
      </header>
      <div className="px-4 py-3">
        <Arguments approval={approval} />
      </div>
      <footer className="flex flex-wrap items-center gap-2 border-line border-t bg-canvas/60 px-4 py-3">
        <label htmlFor={reasonId} className="sr-only">
          Reason for a no, told to the agent
        </label>
        <Input
          id={reasonId}
          maxLength={300}
          placeholder="Reason for a no (told to the agent)"
          className="min-w-40 flex-1 basis-full sm:basis-56"
          value={reason}
          disabled={!may || decide.isPending}
          onChange={(event) => setReason(event.target.value)}
        />
        <Button kind="danger" className={ANSWER} disabled={!may || decide.isPending} onClick={() => answer('deny')}>
          <X />
          Deny
        </Button>
        <Button
          className={ANSWER}
          disabled={!may || decide.isPending}
          title={`Nobody is asked again when ${agentName} calls ${capability}`}
          onClick={() => answer('approve', true)}
        >
          <CheckCheck />
          Always allow
        </Button>
        <Button
          kind="primary"
          className={ANSWER}
          disabled={!may}
          pending={decide.isPending}
          onClick={() => answer('approve')}
        >
          <Check />
          Approve once
        </Button>
      </footer>
      {decide.error && <ProblemNotice error={decide.error} className="m-4" />}
    </Card>
  )
}

/** Nobody decides about what he does not see; who may not decide need not see it. */
function Arguments({ approval: { arguments: text, argumentBytes } }: { approval: Approval }) {
  if (text === undefined)
    return <p className="text-ink-faint text-xs">Its arguments are shown to operators, who may decide.</p>
  if (argumentBytes <= 2) return <p className="text-ink-faint text-xs">Without arguments.</p>
  return <CodeBlock text={text} what="the arguments" />
}

function TimeLeft({ approval: { expiresAt } }: { approval: Approval }) {
  const now = useNow()
  const left = Math.max(0, Date.parse(expiresAt) - now)
  return (
    <span className="whitespace-nowrap text-ink-faint text-xs tabular-nums">
      {left === 0 ? 'out of time' : `waits ${spanOf(left)} more`}
    </span>
  )
}
