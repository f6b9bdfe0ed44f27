import { redeemSignInLink, signIn } from '@agentopia/api'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { KeyRound } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { knowsPasskeys, usePasskeySignIn } from '../api/passkey.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Input } from '../parts/input.tsx'
import { Mark } from '../parts/mark.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { Progress } from '../parts/progress.tsx'
import { SignOnButton } from '../parts/sign-on-button.tsx'
import { ownPath } from '../words/own-path.ts'

/** E-mail and password; or the one-time link, whose token comes behind the `#` and so never reaches a server's log. */
export function SignInPage() {
  const { to } = useSearch({ from: '/sign-in' })
  const navigate = useNavigate()
  const link = useAction(redeemSignInLink)
  const password = useAction(signIn)
  const passkey = usePasskeySignIn()
  const begun = useRef(false)
  const [email, setEmail] = useState('')
  const [secret, setSecret] = useState('')
  const enter = { onSuccess: () => void navigate({ to: ownPath(to), replace: true }) }

  useEffect(() => {
    document.title = 'Sign in · Agentopia Toolboxes'
    const token = decodeURIComponent(window.location.hash.slice(1))
    if (token === '' || begun.current) return
    begun.current = true // a link works once
    void navigate({ to: '/sign-in', search: to ? { to } : {}, replace: true })
    link.mutate({ body: { token } }, enter)
  })

  const problem = password.error ?? link.error ?? passkey.error
  return (
    <main className="pegboard flex min-h-dvh flex-col items-center justify-center p-5">
      <div className="w-full max-w-88">
        <div className="flex flex-col items-center text-center">
          <Mark className="size-12" />
          <h1 className="mt-4 font-semibold text-xl tracking-[-0.022em]">Agentopia Toolboxes</h1>
          <p className="mt-1 bg-canvas/80 text-ink-soft">Machines of your own that run tools for your AI agents.</p>
        </div>
        <div className="mt-7 rounded-xl border border-line bg-surface p-6 shadow-float">
          {link.isPending || link.isSuccess ? (
            <div role="status">
              <p className="font-medium">Signing you in</p>
              <Progress value={undefined} label="Signing you in" className="mt-3" />
            </div>
          ) : (
            <form
              className="flex flex-col gap-4"
              onSubmit={(event) => {
                event.preventDefault()
                link.reset()
                passkey.reset()
                password.mutate({ body: { email: email.trim(), password: secret } }, enter)
              }}
            >
              <Field label="E-mail">
                {(control) => (
                  <Input
                    {...control}
                    type="email"
                    name="email"
                    autoComplete="username"
                    required
                    value={email}
                    onChange={(event) => setEmail(event.target.value)}
                  />
                )}
              </Field>
              <Field label="Password">
                {(control) => (
                  <Input
                    {...control}
                    type="password"
                    name="password"
                    autoComplete="current-password"
                    required
                    value={secret}
                    onChange={(event) => setSecret(event.target.value)}
                  />
                )}
              </Field>
              <Button type="submit" kind="primary" className="mt-1 h-9.5" pending={password.isPending}>
                Sign in
              </Button>
              {knowsPasskeys() && (
                <Button
                  className="h-9.5"
                  pending={passkey.isPending}
                  onClick={() => {
                    link.reset()
                    password.reset()
                    passkey.mutate(undefined, enter)
                  }}
                >
                  <KeyRound />
                  Sign in with a passkey
                </Button>
              )}
              <SignOnButton words="Sign in with" to={ownPath(to)} className="h-9.5" />
            </form>
          )}
        </div>
        {problem && <ProblemNotice error={problem} className="mt-4" />}
        <p className="mt-5 text-pretty bg-canvas/80 text-center text-ink-faint text-xs">
          No password yet? The control plane prints a one-time link when it starts; <code>npm run sign-in-link</code>{' '}
          prints a new one.
        </p>
      </div>
    </main>
  )
}
