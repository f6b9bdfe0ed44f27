import { beginSignOnProof, getInfo, proveByPassword } from '@agentopia/api'
import { KeyRound, LogIn } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useMe } from '../api/me.ts'
import { knowsPasskeys, usePasskeyProof } from '../api/passkey.ts'
import { type Asking, useAsking } from '../api/presence.ts'
import { listenForProof, openProofWindow } from '../api/proof-window.ts'
import { useAction } from '../api/use-action.ts'
import { useOperation } from '../api/use-operation.ts'
import { Button } from './button.tsx'
import { Dialog, DialogActions, DialogBody } from './dialog.tsx'
import { PasswordField } from './password-field.tsx'
import { ProblemNotice } from './problem-notice.tsx'

/** Asks whoever changes how he signs in, or lets somebody in for long, to show that it is he; then what he wanted goes on. */
export function PresenceDialog() {
  const asking = useAsking()
  return asking ? <Question asking={asking} /> : null
}

function Question({ asking: { ways, proven, leave } }: { asking: Asking }) {
  const me = useMe()
  const password = useAction(proveByPassword)
  const passkey = usePasskeyProof()
  const [secret, setSecret] = useState('')
  useEffect(() => listenForProof(proven), [proven])
  const by = (way: (typeof ways)[number]) => ways.includes(way)
  const error = password.error ?? passkey.error

  return (
    <Dialog
      open
      onClose={leave}
      size="small"
      title="Is it you?"
      description="This changes how you sign in, or lets in for long. Show that it is you; for five minutes you are not asked again."
    >
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          passkey.reset()
          if (secret !== '') password.mutate({ body: { password: secret } }, { onSuccess: proven })
        }}
      >
        <DialogBody>
          {by('password') && (
            <>
              {/* For password managers, to know whose it is. */}
              <input type="text" hidden readOnly autoComplete="username" value={me?.user.email ?? ''} />
              <PasswordField label="Your password" value={secret} onChange={setSecret} />
            </>
          )}
          {by('passkey') && (
            <Button
              pending={passkey.isPending}
              disabled={!knowsPasskeys()}
              onClick={() => {
                password.reset()
                passkey.mutate(undefined, { onSuccess: proven })
              }}
            >
              <KeyRound />
              Use a passkey
            </Button>
          )}
          {by('sign-on') && <SignOnProof />}
          {ways.length === 0 && (
            <p className="text-pretty">
              You have no password, no passkey and no single sign-on yet. Print a new link with{' '}
              <code>npm run sign-in-link</code>, open it in this browser, and ask again.
            </p>
          )}
          {error && <ProblemNotice error={error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={leave}>Cancel</Button>
          {by('password') && (
            <Button type="submit" kind="primary" pending={password.isPending} disabled={secret === ''}>
              Continue
            </Button>
          )}
        </DialogActions>
      </form>
    </Dialog>
  )
}

/** The provider asks in a window of its own; the page stays as it is, and hears of it. */
function SignOnProof() {
  const info = useOperation(getInfo, {})
  const begin = useAction(beginSignOnProof)
  const [said, setSaid] = useState<'blocked' | 'waiting'>()
  const label = info.data?.signOn
  if (label === undefined) return null

  function start(): void {
    const away = openProofWindow()
    setSaid(away ? 'waiting' : 'blocked')
    if (!away) return
    begin.mutate(
      {},
      {
        onSuccess: ({ authorizationUrl }) => away.location.assign(authorizationUrl),
        onError: () => {
          away.close()
          setSaid(undefined)
        },
      },
    )
  }

  return (
    <>
      <Button pending={begin.isPending} onClick={start}>
        <LogIn />
        Sign in with {label} once more
      </Button>
      <p role="status" className="text-pretty text-ink-soft text-xs empty:hidden">
        {said === 'waiting' && `It goes on when you have signed in with ${label} in the other window.`}
        {said === 'blocked' && 'The browser opened no window: allow this page to open one, and try again.'}
      </p>
      {begin.error && <ProblemNotice error={begin.error} />}
    </>
  )
}
