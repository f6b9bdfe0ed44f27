/** A run of words that both texts have, or only one of them. */
export interface WordRun {
  readonly in: 'both' | 'before' | 'after'
  readonly text: string
}

/** Beyond so many comparisons, what is between the common beginning and the common end counts as replaced. */
const MOST_COMPARED = 1_000_000

/** How one text became another, word by word. What is in both and `before` together is the old text; with `after`, the new one. */
export function wordDiff(before: string, after: string): WordRun[] {
  const [old, now] = [wordsOf(before), wordsOf(after)]
  const most = Math.min(old.length, now.length)
  let head = 0
  while (head < most && old[head] === now[head]) head += 1
  let tail = 0
  while (tail < most - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1
  const middle = between(old.slice(head, old.length - tail), now.slice(head, now.length - tail))
  return joined([...runs('both', old.slice(0, head)), ...middle, ...runs('both', old.slice(old.length - tail))])
}

/** Words, and what is between them: nothing is lost. */
const wordsOf = (text: string): string[] => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? []

const runs = (where: WordRun['in'], words: readonly string[]): WordRun[] => words.map((text) => ({ in: where, text }))

/** The longest common subsequence stays; the rest was taken out or put in. */
function between(old: readonly string[], now: readonly string[]): WordRun[] {
  if (old.length * now.length > MOST_COMPARED) return [...runs('before', old), ...runs('after', now)]
  const width = now.length + 1
  const longest = new Uint32Array((old.length + 1) * width)
  const at = (i: number, j: number): number => longest[i * width + j]!
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      longest[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const found: WordRun[] = []
  let [i, j] = [0, 0]
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      found.push({ in: 'both', text: old[i]! })
      i += 1
      j += 1
    } else if (at(i + 1, j) >= at(i, j + 1)) found.push({ in: 'before', text: old[i++]! })
    else found.push({ in: 'after', text: now[j++]! })
  }
  return [...found, ...runs('before', old.slice(i)), ...runs('after', now.slice(j))]
}

/** Neighbours of a kind are one run. Of a change, what was taken out stands before what was put in. */
function joined(found: readonly WordRun[]): WordRun[] {
  const all: WordRun[] = []
  let [gone, came] = ['', '']
  const settle = () => {
    if (gone !== '') all.push({ in: 'before', text: gone })
    if (came !== '') all.push({ in: 'after', text: came })
    gone = ''
    came = ''
  }
  for (const [index, run] of found.entries()) {
    // A space between two changes belongs to both: "a b" became "c d", not "a" "c" and "b" "d".
    const lone = run.in === 'both' && /^\s+$/.test(run.text) && found[index - 1]?.in !== 'both' && index > 0
    const goesOn = index + 1 < found.length && found[index + 1]!.in !== 'both'
    if (run.in === 'before') gone += run.text
    else if (run.in === 'after') came += run.text
    else if (lone && goesOn && gone !== '' && came !== '') {
      gone += run.text
      came += run.text
    } else {
      settle()
      const last = all.at(-1)
      if (last?.in === 'both') all[all.length - 1] = { in: 'both', text: last.text + run.text }
      else all.push(run)
    }
  }
  settle()
  return all
}
