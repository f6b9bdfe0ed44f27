import { getInfo, startSignOn } from '@agentopia/api'
import { LogIn } from 'lucide-react'
import { useAction } from '../api/use-action.ts'
import { useOperation } from '../api/use-operation.ts'
import { Button } from './button.tsx'
import { ProblemNotice } from './problem-notice.tsx'

interface SignOnButtonProps {
  /** What stands before the name of the provider. */
  readonly words: string
  /** Where to go afterwards. */
  readonly to: string
  readonly className?: string
}

/** Sends the browser to the provider of single sign-on; nothing where there is none. */
export function SignOnButton({ words, to, className }: SignOnButtonProps) {
  const info = useOperation(getInfo, {})
  const start = useAction(startSignOn)
  const label = info.data?.signOn
  if (label === undefined) return null
  const begin = () =>
    start.mutate({ body: { to } }, { onSuccess: ({ authorizationUrl }) => window.location.assign(authorizationUrl) })
  return (
    <>
      <Button className={className} pending={start.isPending} onClick={begin}>
        <LogIn />
        {words} {label}
      </Button>
      {start.error && <ProblemNotice error={start.error} onRetry={begin} />}
    </>
  )
}
