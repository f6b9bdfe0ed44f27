import { isDeepStrictEqual } from 'node:util'
import type { GroupRequest, GroupStatus } from '../contract/group.ts'
import { problem } from '../contract/problems.ts'
import { createTurn } from '../in-turn.ts'
import { orderOf } from './group.order.ts'
import { type GroupWorker, type GroupWorkerDeps, startGroupWorker } from './group.worker.ts'
import type { AcceptedGroup } from './group-file.ts'

/** The operations on groups behind the API. */
export interface GroupRegistry {
  list(): GroupStatus[]
  /** @throws {ProblemError} `group-not-found` */
  get(id: string): GroupStatus
  /** @throws {ProblemError} `invalid-request`, `group-exists`, `tool-exists`, `too-busy` */
  create(request: GroupRequest): Promise<GroupStatus>
  /** Succeeds when there is none. @throws {ProblemError} `too-busy` while it takes longer. */
  delete(id: string): Promise<void>
  /** The state of a tool has changed. */
  wake(): void
  stopped(): Promise<void>
}

export type GroupRegistryDeps = Omit<GroupWorkerDeps, 'onGone'>

const MOST_GROUPS = 100
const REMOVAL_MS = 25_000

/** Takes up the groups that are on disk. */
export async function openGroupRegistry(deps: GroupRegistryDeps): Promise<GroupRegistry> {
  const { files, statusOf, sleep, signal, date } = deps
  const workers = new Map<string, GroupWorker>()
  /** One request at a time: two groups cannot both find a name free. */
  const turn = createTurn()

  function start(group: AcceptedGroup): GroupWorker {
    const worker = startGroupWorker(group, { ...deps, onGone: () => void workers.delete(group.id) })
    workers.set(group.id, worker)
    return worker
  }

  async function create({ id, tools }: GroupRequest): Promise<GroupStatus> {
    const ordered = orderOf(tools)
    if ('wrong' in ordered) throw problem('invalid-request', ordered.wrong)
    const members = ordered.order
    const present = workers.get(id)
    if (present && isDeepStrictEqual(present.group.members, members)) return present.status
    if (present && present.group.state !== 'failed')
      throw problem('group-exists', `A group ${id} of other tools is ${present.group.state}`)
    if (!present && workers.size >= MOST_GROUPS)
      throw problem('too-busy', `A toolbox holds at most ${MOST_GROUPS} groups`)
    const taken = members.find(({ name }) => statusOf(name) !== undefined)
    if (taken)
      throw problem('tool-exists', `A tool named ${taken.name} exists already, and would not be the group's to undo`)
    if (present) await ended(present)
    const group: AcceptedGroup = { id, state: 'deploying', since: date().toISOString(), members, begun: [] }
    await files.save(group).catch((cause: unknown) => {
      throw problem('state-not-writable', 'The group could not be written to the state directory', { cause })
    })
    return start(group).status
  }

  /** @throws {ProblemError} `too-busy` */
  async function ended(worker: GroupWorker): Promise<void> {
    await worker.remove()
    const late = new AbortController()
    const isGone = worker.gone.then(() => true)
    const isLate = sleep(REMOVAL_MS, AbortSignal.any([signal, late.signal])).then(() => false)
    const inTime = await Promise.race([isGone, isLate])
    late.abort()
    if (!inTime) throw problem('too-busy', `The group ${worker.group.id} is still being removed`)
  }

  for (const group of await files.list()) start(group)
  return {
    list: () => [...workers.values()].map(({ status }) => status).sort((a, b) => (a.id < b.id ? -1 : 1)),
    get(id) {
      const worker = workers.get(id)
      if (!worker) throw problem('group-not-found', `No group has the id ${id}`)
      return worker.status
    },
    create: (request) => turn.take(() => create(request)),
    delete: (id) =>
      turn.take(async () => {
        const worker = workers.get(id)
        if (worker) await ended(worker)
      }),
    wake() {
      for (const worker of workers.values()) worker.wake()
    },
    stopped: () => Promise.all([...workers.values()].map(({ stopped }) => stopped)).then(() => undefined),
  }
}
