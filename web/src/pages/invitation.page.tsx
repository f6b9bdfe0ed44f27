import { acceptInvitation, type Reply, readInvitation } from '@agentopia/api'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Input } from '../parts/input.tsx'
import { Mark } from '../parts/mark.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { Progress } from '../parts/progress.tsx'

/** Whoever opens the link of an invitation joins the account. The token comes behind the `#` and so never reaches a server's log. */
export function InvitationPage() {
  const look = useAction(readInvitation)
  const begun = useRef(false)
  const [token] = useState(() => decodeURIComponent(window.location.hash.slice(1)))

  useEffect(() => {
    document.title = 'Invitation · Agentopia Toolboxes'
    if (begun.current) return
    begun.current = true
    window.history.replaceState(window.history.state, '', window.location.pathname)
    look.mutate({ body: { token } })
  })

  return (
    <main className="pegboard flex min-h-dvh flex-col items-center justify-center p-5">
      <div className="w-full max-w-88">
        <Mark className="mx-auto size-10" />
        {look.data ? (
          <Join token={token} invitation={look.data} />
        ) : look.error ? (
          <ProblemNotice error={look.error} className="mt-6" />
        ) : (
          <Progress value={undefined} label="Looking at the invitation" className="mt-6" />
        )}
      </div>
    </main>
  )
}

const LEAST = 12

function Join({ token, invitation }: { token: string; invitation: Reply<typeof readInvitation> }) {
  const navigate = useNavigate()
  const accept = useAction(acceptInvitation)
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const { email, role, accountName } = invitation
  return (
    <>
      <div className="mt-4 text-center">
        <h1 className="wrap-anywhere text-balance font-semibold text-xl">You are invited to {accountName}</h1>
        <p className="mt-1 text-pretty bg-canvas/80 text-ink-soft">
          as {role}, with the address <strong className="wrap-anywhere font-semibold text-ink">{email}</strong>
        </p>
      </div>
      <form
        className="mt-6 flex flex-col gap-4 rounded-xl border border-line bg-surface p-6 shadow-float"
        onSubmit={(event) => {
          event.preventDefault()
          accept.mutate(
            { body: { token, name: name.trim(), password } },
            { onSuccess: () => void navigate({ to: '/', replace: true }) },
          )
        }}
      >
        <input type="hidden" name="email" autoComplete="username" value={email} readOnly />
        <Field label="Your name" hint="If you sign in here already, it stays as it is">
          {(control) => (
            <Input
              {...control}
              name="name"
              autoComplete="name"
              required
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Password"
          hint={`At least ${LEAST} characters; if you sign in here already, the password that you have`}
        >
          {(control) => (
            <Input
              {...control}
              type="password"
              name="password"
              autoComplete="new-password"
              required
              minLength={LEAST}
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" kind="primary" className="mt-1 h-9.5" pending={accept.isPending}>
          Join
        </Button>
      </form>
      {accept.error && <ProblemNotice error={accept.error} className="mt-4" />}
    </>
  )
}
