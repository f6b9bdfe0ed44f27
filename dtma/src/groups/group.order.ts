import type { GroupRequest } from '../contract/group.ts'
import { orderByNeeds } from '../contract/needs.ts'

type Members = GroupRequest['tools']

/**
 * The order in which the tools of a group are begun: each after those that it needs, otherwise as they were given.
 * @returns `wrong`: a sentence that says why there is no such order.
 */
export function orderOf(tools: Members): { readonly order: Members } | { readonly wrong: string } {
  const names = new Set(tools.map(({ name }) => name))
  if (names.size < tools.length) return { wrong: 'Two tools of the group have one name' }
  for (const { name, after } of tools)
    for (const needed of after)
      if (!names.has(needed)) return { wrong: `${name} comes after ${needed}, which is not in the group` }

  const ordered = orderByNeeds(tools, ({ after }) => after)
  if ('order' in ordered) return ordered
  return { wrong: `These need each other in a circle: ${ordered.circle.map(({ name }) => name).join(', ')}` }
}
