import type { ChangeHint } from '@agentopia/api'
import type { Log } from '../log.ts'
import type { Store } from '../store/connect.ts'
import { CHANGES, type Change } from '../store/notifications.ts'

/** What changes in each account, told to whoever follows. */
export interface Changes {
  /** Hints about this account until `signal` aborts. A follower who is too slow hears one "everything" instead of what he missed. */
  follow(accountId: string, signal: AbortSignal): AsyncIterable<ChangeHint>
  /** Hears every change in every account, and `undefined` when some may have been missed. For what this process remembers. */
  watch(heard: (change: Change | undefined) => void): void
  /** Stops listening; every follower's stream ends. */
  stop(): Promise<void>
}

/** More hints than this wait for no one: reading everything once is cheaper than hearing them all. */
const MOST_WAITING = 200

const EVERYTHING: ChangeHint = { noun: 'everything' }

/** One connection of this process listens for all accounts. */
export async function listenForChanges(store: Pick<Store, 'listen'>, log: Log): Promise<Changes> {
  const followers = new Map<string, Set<Mailbox>>()
  const watchers: ((change: Change | undefined) => void)[] = []
  const stopping = new AbortController()

  function onMessage(payload: string): void {
    const change = parse(payload)
    if (!change) {
      log.warn({ channel: CHANGES }, 'announcement not understood')
      return
    }
    for (const heard of watchers) heard(change)
    const { account, noun, id } = change
    for (const mailbox of followers.get(account) ?? []) mailbox.put({ noun, ...(id ? { id } : {}) })
  }

  function onGap(): void {
    for (const heard of watchers) heard(undefined)
    for (const mailboxes of followers.values()) for (const mailbox of mailboxes) mailbox.put(EVERYTHING)
  }

  const unlisten = await store.listen(CHANGES, onMessage, onGap)

  return {
    follow(accountId, signal) {
      const mailbox = createMailbox()
      const ofAccount = followers.get(accountId) ?? new Set()
      followers.set(accountId, ofAccount.add(mailbox))
      const end = AbortSignal.any([signal, stopping.signal])
      const leave = () => {
        ofAccount.delete(mailbox)
        if (ofAccount.size === 0 && followers.get(accountId) === ofAccount) followers.delete(accountId)
        mailbox.wake()
      }
      end.addEventListener('abort', leave)
      if (end.aborted) leave()
      return hintsOf(mailbox, end)
    },
    watch: (heard) => void watchers.push(heard),
    async stop() {
      stopping.abort()
      await unlisten()
    },
  }
}

async function* hintsOf(mailbox: Mailbox, end: AbortSignal): AsyncGenerator<ChangeHint> {
  while (!end.aborted) yield* await mailbox.take(end)
}

interface Mailbox {
  put(hint: ChangeHint): void
  /** Resolves with all that waits, as soon as anything does; with nothing once `end` aborts. */
  take(end: AbortSignal): Promise<readonly ChangeHint[]>
  wake(): void
}

/** The same hint twice is one hint; too many are one "everything". */
function createMailbox(): Mailbox {
  let waiting = new Map<string, ChangeHint>()
  let wake = () => {}

  return {
    put(hint) {
      if (hint === EVERYTHING || waiting.size >= MOST_WAITING) waiting = new Map([['everything', EVERYTHING]])
      else if (!waiting.has('everything')) waiting.set(`${hint.noun} ${hint.id}`, hint)
      wake()
    },
    async take(end) {
      while (waiting.size === 0 && !end.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      const taken = [...waiting.values()]
      waiting = new Map()
      return taken
    },
    wake: () => wake(),
  }
}

function parse(payload: string): Change | undefined {
  try {
    return JSON.parse(payload) as Change
  } catch {
    return undefined
  }
}
