import { type Connection, endConnection, startConnection, type ToolbeltItem } from '@agentopia/api'
import { Plug } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { connectionTone, connectionWord } from '../../words/connection-state.ts'

/** The connection of one agent's tool to the service behind it, and the ways to make, renew and end it. */
export function ConnectionRow({ item, connection }: { item: ToolbeltItem; connection: Connection }) {
  const may = useMay('operator')
  const start = useAction(startConnection)
  const end = useAction(endConnection)
  const [ending, setEnding] = useState(false)
  const params = { agentId: item.agentId, toolbeltItemId: item.id }
  const made = connection.state !== 'not_connected'
  const leave = ({ authorizationUrl }: { authorizationUrl: string }) => window.location.assign(authorizationUrl)
  return (
    <section
      aria-label={`Connection of ${item.instanceName}`}
      className="flex flex-wrap items-center gap-x-3 gap-y-2 border-line border-b px-4 py-2.5"
    >
      <Plug className="size-4 text-ink-faint" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="flex items-center gap-2">
          <Glyph tone={connectionTone(connection.state)} />
          {connectionWord(connection.state)}
          {connection.issuer && <span className="text-ink-faint text-xs">{new URL(connection.issuer).host}</span>}
        </p>
        <p className="wrap-anywhere text-ink-faint text-xs">
          {connection.reason ?? (connection.scopes.join(', ') || 'No scopes')}
          {connection.expiresAt && (
            <>
              , token until <RelativeTime at={connection.expiresAt} />
            </>
          )}
        </p>
        {start.error && <ProblemNotice error={start.error} className="mt-2" />}
      </div>
      <Button
        size="small"
        disabled={!may}
        pending={start.isPending || start.isSuccess}
        onClick={() => start.mutate({ params }, { onSuccess: leave })}
      >
        {made ? 'Connect anew' : 'Connect'}
      </Button>
      {made && (
        <Button size="small" kind="danger" disabled={!may} onClick={() => setEnding(true)}>
          Disconnect
        </Button>
      )}
      <ConfirmByName
        open={ending}
        onClose={() => {
          end.reset()
          setEnding(false)
        }}
        title={`Disconnect ${item.instanceName}`}
        name={item.instanceName}
        verb="Disconnect"
        pending={end.isPending}
        error={end.error}
        onConfirm={() => end.mutate({ params }, { onSuccess: () => setEnding(false) })}
      >
        Its tokens are forgotten here and taken back at the service. Calls are refused until somebody connects it again.
      </ConfirmByName>
    </section>
  )
}
