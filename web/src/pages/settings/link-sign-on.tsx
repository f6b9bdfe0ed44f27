import { getInfo, linkSignOn, type Me, unlinkSignOn } from '@agentopia/api'
import { Link2, Unlink2 } from 'lucide-react'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'

/** Links with single sign-on, where there is one, and ends that. */
export function LinkSignOn({ me }: { me: Me }) {
  const info = useOperation(getInfo, {})
  const link = useAction(linkSignOn)
  const unlink = useAction(unlinkSignOn)
  const label = info.data?.signOn
  if (label === undefined) return null
  const error = link.error ?? unlink.error
  return (
    <div className="flex flex-col items-start gap-3 px-4 pt-4">
      {me.hasSignOn ? (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <p>You sign in with {label}.</p>
          <Button size="small" kind="danger" pending={unlink.isPending} onClick={() => unlink.mutate({})}>
            <Unlink2 />
            Unlink
          </Button>
        </div>
      ) : (
        <Button
          pending={link.isPending}
          onClick={() =>
            link.mutate({}, { onSuccess: ({ authorizationUrl }) => window.location.assign(authorizationUrl) })
          }
        >
          <Link2 />
          Link with {label}
        </Button>
      )}
      {error && <ProblemNotice error={error} />}
    </div>
  )
}
