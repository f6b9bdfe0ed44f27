import { type Me, setPassword } from '@agentopia/api'
import { useState } from 'react'
import { useMe } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Field } from '../../parts/field.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { Input } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { notify } from '../../shell/notices.ts'
import { LinkSignOn } from './link-sign-on.tsx'

const SHORTEST = 12

/** Whoever is signed in, and how they sign in. */
export function Profile() {
  const me = useMe()
  return (
    <Card>
      <CardHeader title="Sign-in" note={me && `${me.account.name}, ${me.role}`} />
      {me && <LinkSignOn me={me} />}
      {me && <PasswordForm key={me.user.email} me={me} />}
    </Card>
  )
}

function PasswordForm({ me }: { me: Me }) {
  const change = useAction(setPassword)
  const [email, setEmail] = useState(me.user.email)
  const [next, setNext] = useState('')
  const [tried, setTried] = useState(false)
  const short = next.length < SHORTEST

  function save(): void {
    setTried(true)
    if (short) return
    change.mutate(
      {
        body: {
          newPassword: next,
          ...(email.trim() !== '' && email.trim() !== me.user.email ? { email: email.trim() } : {}),
        },
      },
      {
        onSuccess: () => {
          notify({ tone: 'ok', text: 'The password is set. Other sessions have ended.' })
          setNext('')
          setTried(false)
        },
      },
    )
  }

  return (
    <form
      className="flex flex-col gap-4 p-4"
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      {!me.hasPassword && (
        <p className="flex items-start gap-2.5 rounded-md bg-warn-soft px-3 py-2.5">
          <Glyph tone="warn" className="mt-1.25" />
          You have no password yet. Set one, with your e-mail address, to sign in without a one-time link.
        </p>
      )}
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="E-mail" className="sm:col-span-2 sm:max-w-[calc(50%-0.5rem)]">
          {(control) => (
            <Input
              {...control}
              type="email"
              autoComplete="username"
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="New password"
          hint={`At least ${SHORTEST} characters`}
          problem={tried && short ? `At least ${SHORTEST} characters` : undefined}
        >
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="new-password"
              value={next}
              onChange={(event) => setNext(event.target.value)}
            />
          )}
        </Field>
      </div>
      {change.error && <ProblemNotice error={change.error} />}
      <Button type="submit" kind="primary" className="self-start" pending={change.isPending} disabled={next === ''}>
        {me.hasPassword ? 'Change password' : 'Set password'}
      </Button>
    </form>
  )
}
