import type { Activity } from '@agentopia/api'
import { Bot, Camera, Droplet, KeyRound, type LucideIcon, Server, UserRound, Waypoints, Wrench } from 'lucide-react'
import { Fragment } from 'react'
import { withOwnTimes } from '../words/relative-time.ts'
import { CopyableId } from './copyable.tsx'
import { RelativeTime } from './relative-time.tsx'

const ICONS: Readonly<Record<string, LucideIcon>> = {
  toolbox: Server,
  droplet: Droplet,
  snapshot: Camera,
  instance: Wrench,
  agent: Bot,
  toolbelt: Waypoints,
  token: KeyRound,
  user: UserRound,
}

/** Who did what, newest first. @param of One thing: by day then, and with the ids of others that are named in its history. */
export function ActivityList({ items, of }: { items: readonly Activity[]; of?: string }) {
  return (
    <ol className="px-4 py-1">
      {items.map((activity, index) => (
        <Fragment key={activity.id}>
          {of !== undefined && dayOf(activity.at) !== dayOf(items[index - 1]?.at) && (
            <li className="pt-3 pb-1 font-medium text-ink-faint text-xs">{dayOf(activity.at)}</li>
          )}
          <Entry activity={activity} withSubject={of !== undefined && of !== activity.subject} />
        </Fragment>
      ))}
    </ol>
  )
}

function Entry({ activity, withSubject }: { activity: Activity; withSubject: boolean }) {
  const Icon = ICONS[activity.action.split('.')[0] ?? ''] ?? Wrench
  return (
    <li className="flex gap-3 border-line border-b py-2.5 last:border-b-0">
      <span className="mt-0.5 grid size-5 shrink-0 place-items-center text-ink-faint" title={activity.action}>
        <Icon className="size-4" strokeWidth={1.75} aria-hidden />
      </span>
      <div className="min-w-0 flex-1">
        <p className="wrap-anywhere text-pretty text-ink">{withOwnTimes(activity.message)}</p>
        <p className="flex flex-wrap items-center gap-x-2 text-ink-faint text-xs">
          <span className="truncate">{activity.actor}</span>
          {withSubject && <CopyableId id={activity.subject} className="text-ink-faint" />}
        </p>
      </div>
      <RelativeTime at={activity.at} className="shrink-0 text-ink-faint text-xs tabular-nums" />
    </li>
  )
}

const dayOf = (at: string | undefined): string | undefined =>
  at && new Date(at).toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
