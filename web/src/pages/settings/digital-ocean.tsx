import { getProvider, removeProviderToken, setProviderToken } from '@agentopia/api'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'

/** The token with which droplets are made: given, checked, forgotten; never shown. */
export function DigitalOcean() {
  const provider = useOperation(getProvider, {})
  const set = useAction(setProviderToken, { deadlineMs: 70_000 })
  const forget = useAction(removeProviderToken)
  const may = useMay('admin')
  const [token, setToken] = useState('')
  return (
    <Card>
      <CardHeader title="DigitalOcean" note="for toolboxes that are droplets">
        {may && provider.data?.configured && (
          <Button size="small" pending={forget.isPending} onClick={() => forget.mutate({})}>
            Forget the token
          </Button>
        )}
      </CardHeader>
      <Reading of={provider} skeleton={<SkeletonRows rows={2} className="p-4" />}>
        {({ configured, hint, missingScopes }) => (
          <form
            className="flex flex-col gap-4 p-4"
            onSubmit={(event) => {
              event.preventDefault()
              set.mutate({ body: { token: token.trim() } }, { onSuccess: () => setToken('') })
            }}
          >
            <p className="text-pretty text-ink-soft">
              {configured ? `A token that ends in ${hint} is stored, encrypted.` : 'No token is stored.'}
            </p>
            {missingScopes.length > 0 && (
              <p className="text-pretty text-warn">The token lacks these rights: {missingScopes.join(', ')}.</p>
            )}
            {may && (
              <div className="flex items-end gap-2">
                <Field label={configured ? 'Another token' : 'Token'} className="flex-1">
                  {(control) => (
                    <Input
                      {...control}
                      type="password"
                      placeholder="dop_v1_…"
                      value={token}
                      onChange={(event) => setToken(event.target.value)}
                    />
                  )}
                </Field>
                <Button type="submit" disabled={token.trim().length < 16} pending={set.isPending}>
                  Check and store
                </Button>
              </div>
            )}
            {set.error && <ProblemNotice error={set.error} />}
            {forget.error && <ProblemNotice error={forget.error} />}
          </form>
        )}
      </Reading>
    </Card>
  )
}
