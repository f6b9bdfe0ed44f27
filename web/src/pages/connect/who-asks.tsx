import type { describeAuthorization, Reply } from '@agentopia/api'

/** Who asks, as far as it can be known, and where the answer goes. The name is the client's own word. */
export const WhoAsks = ({ client }: { client: Reply<typeof describeAuthorization>['client'] }) => (
  <header className="px-6 pt-5 pb-5">
    <h1 className="wrap-anywhere text-balance font-semibold text-lg">
      <bdi>{client.name}</bdi> asks to use your tools
    </h1>
    <p className="mt-1 text-pretty text-ink-soft">
      {client.documentHost === undefined ? (
        'The name is its own; nobody vouches for it. Go on only if you just started this from that program.'
      ) : (
        <>
          The site <strong className="font-semibold text-ink">{client.documentHost}</strong> says that this is its
          client.
        </>
      )}
    </p>
    <p className={client.staysHere ? 'mt-2 text-pretty text-ink-soft' : 'mt-2 text-pretty text-warn'}>
      {client.staysHere ? 'The answer goes to a program on this computer: ' : 'The answer goes to another site: '}
      <code className="wrap-anywhere font-semibold">{client.redirectHost}</code>
    </p>
  </header>
)
