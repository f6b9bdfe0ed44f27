import { makeSshKey, type SshLogin } from '@agentopia/api'
import { useEffect } from 'react'
import { useAction } from '../../api/use-action.ts'
import { CopyButton } from '../../parts/copyable.tsx'
import { Field } from '../../parts/field.tsx'
import { Input, TextArea } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Select } from '../../parts/select.tsx'

const WAYS = [
  { value: 'password', label: 'A password', note: 'used once, kept nowhere' },
  { value: 'private-key', label: 'A private key', note: 'used once, kept nowhere' },
  { value: 'account-key', label: 'The key of the account', note: 'its public half is on the server' },
] as const

const EMPTY: Readonly<Record<SshLogin['type'], SshLogin>> = {
  password: { type: 'password', password: '' },
  'private-key': { type: 'private-key', privateKey: '' },
  'account-key': { type: 'account-key' },
}

interface SshLoginFieldsProps {
  readonly login: SshLogin
  readonly onChange: (login: SshLogin) => void
}

/** With what the control plane logs in. */
export const SshLoginFields = ({ login, onChange }: SshLoginFieldsProps) => (
  <>
    <Field label="Log in with">
      {(control) => (
        <Select
          {...control}
          value={login.type}
          onChange={(type) => onChange(EMPTY[type as SshLogin['type']])}
          options={WAYS}
        />
      )}
    </Field>
    {login.type === 'password' && (
      <Field label="Password" required>
        {(control) => (
          <Input
            {...control}
            type="password"
            value={login.password}
            onChange={(event) => onChange({ type: 'password', password: event.target.value })}
          />
        )}
      </Field>
    )}
    {login.type === 'private-key' && (
      <>
        <Field label="Private key" required hint="OpenSSH or PEM.">
          {(control) => (
            <TextArea
              {...control}
              spellCheck={false}
              className="font-mono text-xs"
              value={login.privateKey}
              onChange={(event) => onChange({ ...login, privateKey: event.target.value })}
            />
          )}
        </Field>
        <Field label="Its passphrase" hint="Empty when it has none.">
          {(control) => (
            <Input
              {...control}
              type="password"
              value={login.passphrase ?? ''}
              onChange={({ target: { value } }) =>
                onChange({
                  type: 'private-key',
                  privateKey: login.privateKey,
                  ...(value === '' ? {} : { passphrase: value }),
                })
              }
            />
          )}
        </Field>
      </>
    )}
    {login.type === 'account-key' && <AccountKey />}
  </>
)

/** The line that lets the control plane in. */
function AccountKey() {
  const key = useAction(makeSshKey)
  const { mutate } = key
  useEffect(() => mutate({}), [mutate])
  if (key.error) return <ProblemNotice error={key.error} />
  if (!key.data) return null
  return (
    <div>
      <p className="mb-1.5 text-pretty text-ink-soft">Add this line to ~/.ssh/authorized_keys of the user:</p>
      <div className="flex items-center gap-2 rounded-md border border-line py-1.5 pr-1.5 pl-3">
        <code className="wrap-anywhere flex-1 text-xs">{key.data.publicKey}</code>
        <CopyButton kind="plain" text={key.data.publicKey} what="the line">
          Copy
        </CopyButton>
      </div>
    </div>
  )
}
