import { type CallPayload, getCall, getCallPayload, type Reply, removeCallPayload } from '@agentopia/api'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../api/me.ts'
import { useAction } from '../api/use-action.ts'
import { useOperation } from '../api/use-operation.ts'
import { Button } from '../parts/button.tsx'
import { Card, CardHeader } from '../parts/card.tsx'
import { CopyableId } from '../parts/copyable.tsx'
import { Facts } from '../parts/facts.tsx'
import { Glyph } from '../parts/glyph.tsx'
import { CodeBlock, JsonView } from '../parts/json-view.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { Reading } from '../parts/reading.tsx'
import { RelativeTime } from '../parts/relative-time.tsx'
import { OUTCOMES } from '../words/call-outcome.ts'
import { bytes, duration } from '../words/quantity.ts'

type Call = Reply<typeof getCall>

/** One call on record; and what was sent and answered, where that is kept. */
export function CallPage() {
  const { callId } = useParams({ from: '/app/calls/$callId' })
  const call = useOperation(getCall, { params: { callId } })
  return (
    <>
      <PageHeader
        trail={[
          <Link key="calls" to="/calls">
            Calls
          </Link>,
        ]}
        tabTitle="Call"
        title={call.data ? nameOf(call.data) : 'Call'}
      />
      <Reading of={call}>
        {(data) => (
          <div className="flex max-w-4xl flex-col gap-5">
            <Record call={data} />
            <Payload call={data} />
          </div>
        )}
      </Reading>
    </>
  )
}

const nameOf = ({ instanceName, capability }: Call): string =>
  instanceName === undefined ? capability : `${instanceName}__${capability}`

function Record({ call }: { call: Call }) {
  const { tone, words, meaning } = OUTCOMES[call.outcome]
  return (
    <Card>
      <Facts
        className="p-4"
        facts={[
          ['Call', <CopyableId key="id" id={call.id} />],
          [
            'Outcome',
            <span key="outcome" className="flex items-center gap-2" title={meaning}>
              <Glyph tone={tone} />
              {words}
              {call.code && <code className="text-xs">{call.code}</code>}
            </span>,
          ],
          [
            'Agent',
            <Link key="agent" to="/agents/$agentId/{-$tab}" params={{ agentId: call.agentId, tab: undefined }}>
              {call.agentName}
            </Link>,
          ],
          ['When', <RelativeTime key="when" at={call.startedAt} />],
          ['Took', duration(call.durationMs)],
          ['Asked', bytes(call.argumentBytes)],
          call.resultBytes !== undefined && ['Answered', bytes(call.resultBytes)],
          call.secretsSeen && ['Found in it', call.secretsSeen.join(', ')],
          call.hash !== undefined && ['In the chain', <CopyableId key="hash" id={`${call.sequence}:${call.hash}`} />],
        ]}
      />
    </Card>
  )
}

function Payload({ call: { id: callId, payload } }: { call: Call }) {
  const mayRead = useMay('operator')
  const mayForget = useMay('admin')
  const [shown, setShown] = useState(false)
  const forget = useAction(removeCallPayload)
  const params = { callId }
  if (!payload)
    return (
      <p className="text-ink-soft text-sm">
        What was sent and answered is not kept. An administrator decides that in the settings of calls.
      </p>
    )
  return (
    <Card>
      <CardHeader
        title="What was sent and answered"
        note={
          <>
            Kept until <RelativeTime at={payload.keptUntil} />
          </>
        }
      />
      <div className="flex flex-col gap-4 p-4">
        {shown ? (
          <Contents callId={callId} />
        ) : (
          <p className="text-ink-soft text-sm">Who reads it is put on record. Secrets that were seen were taken out.</p>
        )}
        {forget.error && <ProblemNotice error={forget.error} />}
        <div className="flex gap-2">
          {!shown && (
            <Button disabled={!mayRead} onClick={() => setShown(true)}>
              Show it
            </Button>
          )}
          <Button
            kind="danger"
            disabled={!mayForget}
            pending={forget.isPending}
            onClick={() => forget.mutate({ params })}
          >
            Forget it
          </Button>
        </div>
      </div>
    </Card>
  )
}

function Contents({ callId }: { callId: string }) {
  const payload = useOperation(getCallPayload, { params: { callId } })
  return (
    <Reading of={payload}>
      {(data) => (
        <>
          <Part name="Arguments" part={data.arguments} />
          {data.result && <Part name="Answer" part={data.result} />}
          {data.error && <Part name="Failure" part={data.error} />}
        </>
      )}
    </Reading>
  )
}

const Part = ({ name, part }: { name: string; part: CallPayload['arguments'] }) => (
  <section>
    <h3 className="mb-1.5 font-medium text-xs">{part.whole ? name : `${name}, the beginning`}</h3>
    {part.whole ? <JsonView value={part.json} what={name} /> : <CodeBlock text={part.text ?? ''} what={name} />}
  </section>
)
