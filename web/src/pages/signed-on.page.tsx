import { finishSignOn } from '@agentopia/api'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { tellProven } from '../api/proof-window.ts'
import { useAction } from '../api/use-action.ts'
import { Mark } from '../parts/mark.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { Progress } from '../parts/progress.tsx'
import { ownPath } from '../words/own-path.ts'

const NAMES = ['state', 'code', 'iss', 'error'] as const

/** Where the provider of single sign-on sends the browser back to. */
export function SignedOnPage() {
  const finish = useAction(finishSignOn)
  const navigate = useNavigate()
  const begun = useRef(false)

  useEffect(() => {
    document.title = 'Sign in · Agentopia Toolboxes'
    if (begun.current) return
    begun.current = true // a code works once
    const came = new URLSearchParams(window.location.search)
    const given = Object.fromEntries(NAMES.flatMap((name) => (came.has(name) ? [[name, came.get(name)]] : [])))
    // The code need not stand in the address and the history.
    window.history.replaceState(window.history.state, '', window.location.pathname)
    finish.mutate(
      { body: { state: '', ...given } },
      {
        onSuccess: ({ to, done }) => {
          if (done === 'proven') tellProven()
          else void navigate({ to: ownPath(to), replace: true })
        },
      },
    )
  })

  return (
    <main className="pegboard flex min-h-dvh flex-col items-center justify-center p-5">
      <div className="w-full max-w-110 text-center">
        <Mark className="mx-auto size-10" />
        <h1 className="mt-4 font-semibold text-xl">Single sign-on</h1>
        {finish.error ? (
          <>
            <ProblemNotice error={finish.error} className="mt-6 text-left" />
            <Link to="/sign-in" className="mt-4 inline-block text-accent underline-offset-2 hover:underline">
              Back to the sign-in
            </Link>
          </>
        ) : finish.data?.done === 'proven' ? (
          <p role="status" className="mt-6">
            It is you. You can close this window.
          </p>
        ) : (
          <Progress value={undefined} className="mt-6" label="Signing you in" />
        )}
      </div>
    </main>
  )
}
