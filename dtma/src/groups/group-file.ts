import { mkdir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { GroupFailure, GroupRequest, GroupState } from '../contract/group.ts'
import { stateFile } from '../state-file.ts'

/** A group that was accepted, and how far it is: written before the next thing is done. */
export const AcceptedGroup = z.object({
  id: z.string(),
  state: GroupState,
  since: z.string(),
  /** In the order in which they are begun. */
  members: GroupRequest.shape.tools,
  begun: z.array(z.string()),
  failure: z.optional(GroupFailure),
})
export type AcceptedGroup = z.infer<typeof AcceptedGroup>

export interface GroupFiles {
  list(): Promise<AcceptedGroup[]>
  save(group: AcceptedGroup): Promise<void>
  remove(id: string): Promise<void>
}

const SUFFIX = '.json'

/** @throws {Error} When the directory cannot be made. */
export async function openGroupFiles(stateDirectory: string): Promise<GroupFiles> {
  const directory = join(stateDirectory, 'groups')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const fileOf = (id: string) => stateFile(join(directory, id + SUFFIX), AcceptedGroup)
  return {
    async list() {
      const names = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX))
      const groups = await Promise.all(names.map((name) => fileOf(name.slice(0, -SUFFIX.length)).read()))
      return groups.filter((group) => group !== undefined)
    },
    save: (group) => fileOf(group.id).write(group),
    remove: (id) => unlink(join(directory, id + SUFFIX)),
  }
}
