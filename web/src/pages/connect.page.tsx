import { type Agent, decideAuthorization, describeAuthorization, listAgents, type Reply } from '@agentopia/api'
import { useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useMe } from '../api/me.ts'
import { useAction } from '../api/use-action.ts'
import { useOperation } from '../api/use-operation.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Mark } from '../parts/mark.tsx'
import { isName, NameField } from '../parts/name-field.tsx'
import { PresenceDialog } from '../parts/presence-dialog.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { Reading } from '../parts/reading.tsx'
import { Select } from '../parts/select.tsx'
import { AgentReach } from './connect/agent-reach.tsx'
import { WhoAsks } from './connect/who-asks.tsx'

type Asked = Reply<typeof describeAuthorization>

const NEW = 'new'
const MOST_AGENTS = 200

/** A client asks to act as an agent; the person who is signed in says as which, or no. */
export function ConnectPage() {
  const { request } = useParams({ from: '/connect/$request' })
  const asked = useOperation(describeAuthorization, { query: { request } })
  const agents = useOperation(listAgents, { query: { limit: MOST_AGENTS } })
  // Anybody can register an address: to another site nobody is led unasked.
  const refusedTo = asked.data?.client.staysHere ? asked.data.refusedTo : undefined

  useEffect(() => {
    document.title = 'Connect a client · Agentopia Toolboxes'
  })
  useEffect(() => {
    if (refusedTo !== undefined) window.location.replace(refusedTo)
  }, [refusedTo])

  return (
    <main className="pegboard flex min-h-dvh flex-col items-center justify-center p-5">
      <div className="w-full max-w-110">
        <Mark className="mx-auto size-10" />
        <Reading of={asked}>
          {(data) =>
            data.refusedTo === undefined ? (
              <Reading of={agents}>{({ items }) => <Decide request={request} asked={data} agents={items} />}</Reading>
            ) : (
              <p role="status" className="mt-5 text-center text-ink-soft">
                {data.client.name} asked for something that is not given here.{' '}
                {data.client.staysHere ? (
                  'It is told.'
                ) : (
                  <a className="text-accent underline-offset-2 hover:underline" href={data.refusedTo}>
                    Go back to {data.client.redirectHost}
                  </a>
                )}
              </p>
            )
          }
        </Reading>
      </div>
      <PresenceDialog />
    </main>
  )
}

function Decide({ request, asked, agents }: { request: string; asked: Asked; agents: readonly Agent[] }) {
  const me = useMe()
  const decide = useAction(decideAuthorization)
  const last = agents.find(({ id }) => id === asked.lastAgentId) ?? (agents.length === 1 ? agents[0] : undefined)
  const [chosen, setChosen] = useState(last?.id ?? (agents.length === 0 ? NEW : undefined))
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const agent = agents.find(({ id }) => id === chosen)
  const valid = isName(name)
  const leave = { onSuccess: ({ redirectTo }: { redirectTo: string }) => window.location.assign(redirectTo) }
  const going = decide.isPending || decide.isSuccess

  return (
    <form
      className="mt-5 rounded-xl border border-line bg-surface shadow-float"
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (agent) decide.mutate({ body: { request, decision: { kind: 'agent', agentId: agent.id } } }, leave)
        else if (chosen === NEW && valid)
          decide.mutate({ body: { request, decision: { kind: 'new-agent', name } } }, leave)
      }}
    >
      <WhoAsks client={asked.client} />
      <div className="flex flex-col gap-4 border-line border-t px-6 py-5">
        <Field
          label="It acts as the agent"
          problem={tried && chosen === undefined ? 'Choose one' : undefined}
          hint="It may call what this agent may call, and its calls are recorded as this agent’s."
        >
          {(control) => (
            <Select
              {...control}
              value={chosen}
              onChange={setChosen}
              placeholder="Choose an agent"
              options={[
                ...agents.map(({ id, name: of, enabled }) => ({
                  value: id,
                  label: of,
                  ...(enabled ? {} : { note: 'off' }),
                })),
                { value: NEW, label: 'A new agent' },
              ]}
            />
          )}
        </Field>
        {chosen === NEW && (
          <NameField
            label="Name of the new agent"
            hint="It starts with nothing. What it may call is granted on its page."
            value={name}
            onChange={setName}
            tried={tried}
            placeholder="desktop-assistant"
          />
        )}
        {agent && <AgentReach agent={agent} />}
        {decide.error && <ProblemNotice error={decide.error} />}
      </div>
      <footer className="flex flex-wrap items-center justify-end gap-2 border-line border-t bg-canvas/60 px-6 py-4 sm:rounded-b-xl">
        {me && (
          <p className="mr-auto min-w-0 truncate text-ink-faint text-xs">
            {me.user.email} · {me.account.name}
          </p>
        )}
        <Button
          disabled={going}
          onClick={() => decide.mutate({ body: { request, decision: { kind: 'refuse' } } }, leave)}
        >
          Refuse
        </Button>
        <Button type="submit" kind="primary" pending={going}>
          Connect
        </Button>
      </footer>
    </form>
  )
}
