import { listRegistries, putRegistryCredential, removeRegistryCredential } from '@agentopia/api'
import { Trash2 } from 'lucide-react'
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
import { RelativeTime } from '../../parts/relative-time.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { Cell, Row, Table, unseen } from '../../parts/table.tsx'

/** Credentials for registries of images: given, replaced, forgotten; never shown. */
export function Registries() {
  const registries = useOperation(listRegistries, {})
  const remove = useAction(removeRegistryCredential)
  const may = useMay('admin')
  return (
    <Card>
      <CardHeader title="Registries" note="where toolboxes pull images from" />
      <Reading of={registries} skeleton={<SkeletonRows rows={2} className="p-4" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="px-4 pt-4 text-pretty text-ink-soft">
              Images are pulled anonymously. A private registry needs a credential; a toolbox gets it for a pull, and
              keeps it nowhere.
            </p>
          ) : (
            <Table
              label="Registries"
              columns={[
                ['registry', 'Registry'],
                ['user', 'User'],
                ['changed', 'Stored'],
                ['remove', unseen('Remove')],
              ]}
            >
              {items.map(({ registry, username, changedAt }) => (
                <Row key={registry}>
                  <Cell className="font-mono text-xs">{registry}</Cell>
                  <Cell>{username}</Cell>
                  <Cell className="text-ink-soft">
                    <RelativeTime at={changedAt} />
                  </Cell>
                  <Cell className="text-right">
                    {may && (
                      <Button
                        kind="quiet"
                        size="tiny"
                        aria-label={`Forget the credential for ${registry}`}
                        pending={remove.isPending && remove.variables?.params.registry === registry}
                        onClick={() => remove.mutate({ params: { registry } })}
                      >
                        <Trash2 />
                      </Button>
                    )}
                  </Cell>
                </Row>
              ))}
            </Table>
          )
        }
      </Reading>
      {remove.error && <ProblemNotice error={remove.error} className="m-4" />}
      {may && <StoreCredential />}
    </Card>
  )
}

function StoreCredential() {
  const put = useAction(putRegistryCredential)
  const [registry, setRegistry] = useState('')
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  return (
    <form
      className="flex flex-col gap-4 p-4"
      onSubmit={(event) => {
        event.preventDefault()
        put.mutate(
          { params: { registry: registry.trim() }, body: { username: username.trim(), password } },
          {
            onSuccess: () => {
              setRegistry('')
              setUsername('')
              setPassword('')
            },
          },
        )
      }}
    >
      <div className="flex flex-wrap items-end gap-2">
        <Field label="Registry" className="min-w-40 flex-1">
          {(control) => (
            <Input
              {...control}
              spellCheck={false}
              placeholder="registry.example"
              value={registry}
              onChange={(event) => setRegistry(event.target.value)}
            />
          )}
        </Field>
        <Field label="User" className="min-w-32 flex-1">
          {(control) => (
            <Input
              {...control}
              spellCheck={false}
              value={username}
              onChange={(event) => setUsername(event.target.value)}
            />
          )}
        </Field>
        <Field label="Password or token" className="min-w-40 flex-1">
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="new-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" disabled={registry === '' || username === '' || password === ''} pending={put.isPending}>
          Store
        </Button>
      </div>
      {put.error && <ProblemNotice error={put.error} />}
    </form>
  )
}
