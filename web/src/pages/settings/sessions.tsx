import { endOtherSessions, endSession, listSessions } from '@agentopia/api'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Badge } from '../../parts/badge.tsx'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { Cell, Row, Table, unseen } from '../../parts/table.tsx'
import { browserName } from '../../words/browser-name.ts'

const COLUMNS = [
  ['browser', 'Browser'],
  ['used', 'Last used', 'text-right'],
  ['since', 'Signed in', 'text-right'],
  ['end', unseen('Sign out')],
] as const

/** Where a person is signed in; whatever is not wanted there any more is signed out. */
export function Sessions() {
  const sessions = useOperation(listSessions, {})
  const end = useAction(endSession)
  const endOthers = useAction(endOtherSessions)
  const error = end.error ?? endOthers.error
  return (
    <Card className="overflow-hidden">
      <CardHeader title="Signed in" note="browsers end by themselves after three days without use">
        <Button
          size="small"
          disabled={(sessions.data?.items.length ?? 0) < 2}
          pending={endOthers.isPending}
          onClick={() => endOthers.mutate({})}
        >
          Sign out all others
        </Button>
      </CardHeader>
      <Reading of={sessions} skeleton={<SkeletonRows rows={2} className="p-4" />}>
        {({ items }) => (
          <Table label="Sessions" columns={COLUMNS}>
            {items.map(({ id, current, browser, lastUsedAt, createdAt }) => (
              <Row key={id}>
                <Cell className="min-w-36 font-medium" title={browser}>
                  {browserName(browser)} {current && <Badge>this one</Badge>}
                </Cell>
                <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
                  <RelativeTime at={lastUsedAt} />
                </Cell>
                <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
                  <RelativeTime at={createdAt} />
                </Cell>
                <Cell className="text-right">
                  {!current && (
                    <Button
                      kind="danger"
                      size="small"
                      pending={end.isPending && end.variables?.params.sessionId === id}
                      onClick={() => end.mutate({ params: { sessionId: id } })}
                    >
                      Sign out
                    </Button>
                  )}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
      </Reading>
      {error && <ProblemNotice error={error} className="m-4" />}
    </Card>
  )
}
