import { listAgents, listCalls, type Toolbox } from '@agentopia/api'
import { Link, type LinkProps } from '@tanstack/react-router'
import { Check } from 'lucide-react'
import { useOperation } from '../../api/use-operation.ts'
import { Card, CardHeader } from '../../parts/card.tsx'
import { cn } from '../../parts/cn.ts'

interface Step {
  readonly done: boolean
  readonly title: string
  readonly text: string
  readonly to: NonNullable<LinkProps['to']>
}

/** The way to the first call, until it has been made. Nothing is ticked off but by what the server knows. */
export function FirstSteps({ toolboxes }: { toolboxes: readonly Toolbox[] }) {
  const agents = useOperation(listAgents, { query: {} }).data?.items
  const calls = useOperation(listCalls, { query: { limit: 1 } }).data?.items
  if (!agents || !calls || calls.length > 0 || toolboxes.length === 0) return null

  const steps: readonly Step[] = [
    {
      done: toolboxes.some(({ status }) => status === 'active'),
      title: 'A toolbox is active',
      text: 'Its DTMA is connected and sends heartbeats.',
      to: '/',
    },
    {
      done: toolboxes.some(({ toolCounts }) => toolCounts.running > 0),
      title: 'Deploy a tool',
      text: 'Choose one of the catalogue; the one called Everything is a good first.',
      to: '/catalog',
    },
    {
      done: agents.some(({ toolbeltSize }) => toolbeltSize > 0),
      title: 'Give it to an agent',
      text: 'Register an agent, put the tool into its toolbelt, allow what it may do.',
      to: '/agents',
    },
    {
      done: false,
      title: 'Make the first call',
      text: 'Connect your MCP client with a token, or try it on the page of the agent.',
      to: '/agents',
    },
  ]
  const next = steps.findIndex(({ done }) => !done)
  return (
    <Card className="mt-7">
      <CardHeader title="First steps" note={`${steps.filter(({ done }) => done).length} of ${steps.length} done`} />
      <ol className="grid sm:grid-cols-2 lg:grid-cols-4">
        {steps.map(({ done, title, text, to }, index) => (
          <li
            key={title}
            className="relative border-line p-4 not-first:border-t sm:not-first:border-t-0 lg:not-first:border-l"
          >
            <span
              className={cn(
                'grid size-6 place-items-center rounded-full border font-semibold text-xs',
                done
                  ? 'border-ok bg-ok-soft text-ok'
                  : index === next
                    ? 'border-accent text-accent'
                    : 'border-line text-ink-faint',
              )}
            >
              {done ? <Check className="size-3.5" aria-label="Done" /> : index + 1}
            </span>
            <h3 className="mt-2.5 font-semibold">
              {index === next ? (
                <Link to={to} className="text-accent underline-offset-2 after:absolute after:inset-0 hover:underline">
                  {title}
                </Link>
              ) : (
                title
              )}
            </h3>
            <p className="mt-0.5 text-pretty text-ink-soft text-xs">{text}</p>
          </li>
        ))}
      </ol>
    </Card>
  )
}
