import { finishConnection, type Reply } from '@agentopia/api'
import { Link, useParams } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { useAction } from '../api/use-action.ts'
import { Mark } from '../parts/mark.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { Progress } from '../parts/progress.tsx'

const NAMES = ['state', 'code', 'iss', 'error'] as const

/** Where an authorization server sends the browser back to, with what the control plane makes an access token of. */
export function ConnectedPage() {
  const { server } = useParams({ from: '/connected/$server' })
  const finish = useAction(finishConnection)
  const begun = useRef(false)

  useEffect(() => {
    document.title = 'Connected · Agentopia Toolboxes'
    if (begun.current) return
    begun.current = true
    const came = new URLSearchParams(window.location.search)
    const given = Object.fromEntries(NAMES.flatMap((name) => (came.has(name) ? [[name, came.get(name)]] : [])))
    finish.mutate({ body: { server, state: '', ...given } }, { onSuccess: forget })
  })

  return (
    <main className="pegboard flex min-h-dvh flex-col items-center justify-center p-5">
      <div className="w-full max-w-110 text-center">
        <Mark className="mx-auto size-10" />
        {finish.data ? (
          <Done {...finish.data} />
        ) : finish.error ? (
          <ProblemNotice error={finish.error} className="mt-6 text-left" />
        ) : (
          <Progress value={undefined} className="mt-6" label="Finishing the connection" />
        )}
      </div>
    </main>
  )
}

/** The code is used; it need not stand in the address and the history. */
const forget = (): void => window.history.replaceState(window.history.state, '', window.location.pathname)

const Done = ({ agentId, credential }: Reply<typeof finishConnection>) => (
  <div role="status" className="mt-4">
    <h1 className="text-balance font-semibold text-xl">Connected</h1>
    <p className="mt-1 text-pretty text-ink-soft">
      {credential.connection?.issuer} gave access for {credential.connection?.scopes.join(', ') || 'what it was asked'}.
      The access token is refreshed before it ends; you may close this page.
    </p>
    <Link
      to="/agents/$agentId/{-$tab}"
      params={{ agentId, tab: undefined }}
      className="mt-4 inline-block text-accent underline-offset-2 hover:underline"
    >
      To the toolbelt of the agent
    </Link>
  </div>
)
