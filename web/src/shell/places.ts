/** Something that can be jumped to. */
export interface Place {
  readonly name: string
  readonly kind: string
}

/** Those that fit a search, best first: begins with it, has a word that does, contains it, contains its letters in order. */
export function rankPlaces<P extends Place>(places: readonly P[], search: string): readonly P[] {
  const wanted = search.trim().toLowerCase()
  if (wanted === '') return places
  return places
    .map((place, order) => ({ place, order, rank: rankOf(place, wanted) }))
    .filter(({ rank }) => rank < NONE)
    .toSorted((a, b) => a.rank - b.rank || a.order - b.order)
    .map(({ place }) => place)
}

const NONE = 9

function rankOf({ name, kind }: Place, wanted: string): number {
  const text = name.toLowerCase()
  if (text.startsWith(wanted)) return 0
  if (text.split(/[^a-z0-9]+/).some((word) => word.startsWith(wanted))) return 1
  if (text.includes(wanted)) return 2
  if (`${text} ${kind.toLowerCase()}`.includes(wanted)) return 3
  return hasInOrder(text, wanted) ? 4 : NONE
}

function hasInOrder(text: string, letters: string): boolean {
  let from = 0
  for (const letter of letters) {
    const found = text.indexOf(letter, from)
    if (found === -1) return false
    from = found + 1
  }
  return true
}
