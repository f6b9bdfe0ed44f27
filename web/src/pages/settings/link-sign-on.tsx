import { getInfo, type Me } from '@agentopia/api'
import { useState } from 'react'
import { useOperation } from '../../api/use-operation.ts'
import { PasswordField } from '../../parts/password-field.tsx'
import { SignOnButton } from '../../parts/sign-on-button.tsx'

/** Links with single sign-on, where there is one; asks for the password of who has one. */
export function LinkSignOn({ me }: { me: Me }) {
  const info = useOperation(getInfo, {})
  const [password, setPassword] = useState('')
  if (info.data?.signOn === undefined) return null
  return (
    <div className="flex flex-col items-start gap-3 px-4 pt-4">
      {me.hasPassword && <PasswordField label="Your password, to link" value={password} onChange={setPassword} />}
      <SignOnButton words="Link with" to="/settings" link currentPassword={me.hasPassword ? password : undefined} />
    </div>
  )
}
