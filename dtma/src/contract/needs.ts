/**
 * Each after those that it needs, otherwise as they were given. What is needed and not among them is there already.
 * @returns `circle`: those that need each other, when there is no such order.
 */
export function orderByNeeds<One extends { readonly name: string }>(
  ones: readonly One[],
  needsOf: (one: One) => readonly string[],
): { readonly order: One[] } | { readonly circle: One[] } {
  const order: One[] = []
  const left = [...ones]
  const unplaced = new Set(ones.map(({ name }) => name))
  while (left.length > 0) {
    const index = left.findIndex((one) => needsOf(one).every((needed) => !unplaced.has(needed)))
    if (index < 0) return { circle: left }
    const [next] = left.splice(index, 1)
    unplaced.delete(next!.name)
    order.push(next!)
  }
  return { order }
}
