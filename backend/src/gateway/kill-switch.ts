import { problem } from '@agentopia/api'
import type { Log } from '../log.ts'
import type { BeltItem } from './authorise.ts'
import { denialOf, type MakeCall } from './call.ts'
import type { Toolbelts } from './toolbelts.ts'

/** Ends calls under way whose right was taken away meanwhile: agent, toolbelt item, permission, instance or account switched off, token or credential revoked. */
export interface KillSwitch {
  readonly makeCall: MakeCall
  /** Something that decides about calls changed in this account; or somewhere, when it is not said where. */
  recheck(accountId?: string): void
  /** Resolves as soon as no call is under way. */
  idle(): Promise<void>
}

type Wanted = Parameters<MakeCall>[0]

interface Running {
  readonly wanted: Wanted
  readonly item: BeltItem
  readonly stop: (because: string) => void
}

/** A change that no announcement told us of holds within this time, and the memory of toolbelts. */
const LOOK_EVERY_MS = 2_000

export interface KillSwitchDeps {
  readonly makeCall: MakeCall
  readonly toolbelts: Pick<Toolbelts, 'of'>
  readonly log: Log
  readonly lookEveryMs?: number
}

export function createKillSwitch({
  makeCall,
  toolbelts,
  log,
  lookEveryMs = LOOK_EVERY_MS,
}: KillSwitchDeps): KillSwitch {
  const running = new Map<string, Set<Running>>()
  const changed = new Set<string>()
  let waiters: (() => void)[] = []
  let looking = false
  let timer: NodeJS.Timeout | undefined

  function recheck(accountId?: string): void {
    for (const account of accountId === undefined ? running.keys() : [accountId])
      if (running.has(account)) changed.add(account)
    if (looking || changed.size === 0) return
    looking = true
    void lookAtAll().finally(() => {
      looking = false
    })
  }

  async function lookAtAll(): Promise<void> {
    for (const accountId of changed) {
      changed.delete(accountId)
      await look(accountId).catch((err: unknown) =>
        log.warn({ err, accountId }, 'calls under way not looked at; tried again in a moment'),
      )
    }
  }

  async function look(accountId: string): Promise<void> {
    for (const one of running.get(accountId) ?? []) {
      const open = await toolbelts.of(accountId, one.wanted.toolbelt.agent.id)
      const item = open?.toolbelt.items.find(({ id }) => id === one.item.id)
      const because = open ? denialOf({ ...one.wanted, toolbelt: open.toolbelt, item }) : 'agent-removed'
      if (because) one.stop(because)
      else if (item?.instance.lacksSecret && !one.item.instance.lacksSecret) one.stop('its secrets were revoked')
      else if (one.wanted.isLetIn && !(await one.wanted.isLetIn())) one.stop('its token was revoked')
    }
  }

  function add(accountId: string, one: Running): () => void {
    const ofAccount = running.get(accountId) ?? new Set()
    running.set(accountId, ofAccount.add(one))
    timer ??= setInterval(recheck, lookEveryMs)
    return () => {
      ofAccount.delete(one)
      if (ofAccount.size > 0) return
      running.delete(accountId)
      if (running.size > 0) return
      clearInterval(timer)
      timer = undefined
      for (const wake of waiters) wake()
      waiters = []
    }
  }

  return {
    recheck,
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiters.push(resolve))),
    async makeCall(wanted) {
      const { item, toolbelt, signal } = wanted
      if (!item) return makeCall(wanted)
      const end = new AbortController()
      const passOn = () => end.abort(signal.reason)
      signal.addEventListener('abort', passOn)
      if (signal.aborted) passOn()
      const stop = (because: string) =>
        end.abort(problem('call-stopped', `The call was stopped while it was under way: ${because}`))
      const ended = add(toolbelt.agent.accountId, { wanted, item, stop })
      try {
        return await makeCall({ ...wanted, signal: end.signal })
      } finally {
        ended()
        signal.removeEventListener('abort', passOn)
      }
    },
  }
}
