import type { Toolbox } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Card } from '../../parts/card.tsx'
import { cn } from '../../parts/cn.ts'
import { Glyph, TONE_SOFT, TONE_TEXT } from '../../parts/glyph.tsx'
import { LifeLine } from '../../parts/life-line.tsx'
import { Meter } from '../../parts/meter.tsx'
import { Elapsed, RelativeTime } from '../../parts/relative-time.tsx'
import { toolWords } from '../../words/tool-counts.ts'
import { degradedBy, PROVIDER_WORDS, STATUS_MEANING, statusWords, toneOfToolbox } from '../../words/toolbox-status.ts'

/** One toolbox at a glance; the whole card leads to its console. */
export function ToolboxCard({ toolbox }: { toolbox: Toolbox }) {
  const { system, lastHeartbeatAt, status } = toolbox
  const tone = toneOfToolbox(toolbox)
  const heard = status === 'active' || status === 'unresponsive'
  return (
    <Card className="group relative flex flex-col transition-colors focus-within:border-accent hover:border-line-strong">
      <div className="flex items-start gap-3 px-4 pt-3.5">
        <h3 className="min-w-0 flex-1 truncate font-semibold text-base">
          <Link
            to="/toolboxes/$toolboxId/{-$tab}"
            params={{ toolboxId: toolbox.id, tab: undefined }}
            className="outline-none after:absolute after:inset-0 after:rounded-lg focus-visible:after:outline-2 focus-visible:after:outline-accent"
          >
            {toolbox.name}
          </Link>
        </h3>
        <span className={cn('mt-0.5 flex items-center gap-1.5 font-medium text-xs', TONE_TEXT[tone])}>
          <Glyph tone={tone} />
          {statusWords(toolbox)}
        </span>
      </div>
      <p className="truncate px-4 text-ink-faint text-xs">
        {[PROVIDER_WORDS[toolbox.provider], toolbox.machine?.os].filter(Boolean).join(' · ')}
      </p>
      {heard ? (
        <div className="px-4 pt-3.5">
          <LifeLine at={lastHeartbeatAt} />
          <p className="mt-1.5 text-ink-faint text-xs tabular-nums">
            {lastHeartbeatAt ? (
              <>
                heartbeat <RelativeTime at={lastHeartbeatAt} />
              </>
            ) : (
              'no heartbeat yet'
            )}
          </p>
        </div>
      ) : (
        <p className="px-4 pt-3.5 text-ink-faint text-xs">
          for <Elapsed since={toolbox.statusSince} />
        </p>
      )}
      {tone === 'ok' || !trouble(toolbox) ? (
        <div className="grid grid-cols-3 gap-3 px-4 pt-3">
          <Meter label="CPU" share={system?.cpuUsage} />
          <Meter label="Memory" share={system && system.memoryUsedBytes / system.memoryBytes} />
          <Meter label="Disk" share={system && system.diskUsedBytes / system.diskBytes} />
        </div>
      ) : (
        <p className={cn('mx-4 mt-3 rounded-md px-3 py-2 text-ink text-xs', TONE_SOFT[tone])}>
          <span className="line-clamp-3 text-pretty">{trouble(toolbox)}</span>
        </p>
      )}
      <p className="mt-auto flex items-center justify-between gap-3 px-4 pt-3.5 pb-3 text-ink-soft text-xs tabular-nums">
        <span>{toolWords([toolbox])}</span>
        {toolbox.dtmaVersion && <span className="text-ink-faint">DTMA {toolbox.dtmaVersion}</span>}
      </p>
    </Card>
  )
}

/** Why it is not simply well, in the most telling words there are. */
function trouble({ statusReason, status, docker, observation }: Toolbox): string | undefined {
  if (docker && docker.state !== 'ok' && status === 'active') return docker.message ?? `Docker is ${docker.state}`
  const degraded = docker && status === 'active' ? degradedBy(docker) : undefined
  if (degraded !== undefined) return degraded
  if (observation && observation.code !== 'reachable' && status !== 'active')
    return `${observation.summary}. ${observation.nextStep ?? ''}`
  return statusReason ?? (status === 'active' ? undefined : STATUS_MEANING[status])
}
