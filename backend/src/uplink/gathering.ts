import { setTimeout as sleep } from 'node:timers/promises'

/** What many ask for at about the same time, done for all of them together. */
export interface Gathering<Item, Result> {
  /**
   * @param key Whose it is: one of each is gathered at a time.
   * @returns What came of it; `undefined` when nothing did, or it was not taken: whoever asked looks for himself.
   */
  add(key: string, item: Item): Promise<Result | undefined>
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result | undefined) => void
}

/** Far more than come in while they gather and one transaction runs. */
const AT_ONCE = 1_000

/** @param run Does it for all, by key; what it cannot do together, each does by himself. */
export function createGathering<Item, Result>(
  gatherMs: number,
  run: (items: ReadonlyMap<string, Item>) => Promise<ReadonlyMap<string, Result>>,
): Gathering<Item, Result> {
  let waiting = new Map<string, Waiting<Item, Result>>()
  let running = false

  async function work(): Promise<void> {
    running = true
    while (waiting.size > 0) {
      await sleep(gatherMs)
      const batch = waiting
      waiting = new Map()
      const items = new Map([...batch].map(([key, { item }]) => [key, item]))
      // What cannot be done together is looked at one by one, and each hears for itself why not.
      const found = await run(items).catch((): ReadonlyMap<string, Result> => new Map())
      for (const [key, { resolve }] of batch) resolve(found.get(key))
    }
    running = false
  }

  return {
    async add(key, item) {
      if (waiting.has(key) || waiting.size >= AT_ONCE) return undefined
      return new Promise((resolve) => {
        waiting.set(key, { item, resolve })
        if (!running) void work()
      })
    },
  }
}
