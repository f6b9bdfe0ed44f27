import { problem } from '@agentopia/api'
import { orderByNeeds } from '@agentopia/dtma/contract'

interface Member {
  readonly name: string
  readonly dependsOn: readonly string[]
}

/** What is on the toolbox already. */
interface Surroundings {
  readonly isTaken: (name: string) => boolean
  /** Nobody has asked for it to go. */
  readonly isThere: (name: string) => boolean
}

/**
 * The order in which the members of a group are begun: each after those that it depends on, otherwise as they were given.
 * @throws {ProblemError} `invalid-group` when there is no such order; `name-taken` when a member's name is.
 */
export function orderOf<One extends Member>(members: readonly One[], { isTaken, isThere }: Surroundings): One[] {
  const names = new Set(members.map(({ name }) => name))
  if (names.size < members.length) throw problem('invalid-group', 'Two members of the group have one name')
  for (const { name, dependsOn } of members) {
    if (isTaken(name)) throw problem('name-taken', `A tool on this toolbox is called ${name}`)
    for (const needed of dependsOn)
      if (!names.has(needed) && !isThere(needed))
        throw problem('invalid-group', `${name} depends on ${needed}, which is neither in the group nor on the toolbox`)
  }

  const ordered = orderByNeeds(members, ({ dependsOn }) => dependsOn)
  if ('order' in ordered) return ordered.order
  const circle = ordered.circle.map(({ name }) => name).join(', ')
  throw problem('invalid-group', `These depend on each other in a circle: ${circle}`)
}
