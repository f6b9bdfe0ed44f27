import * as z from 'zod'

/** Names of capabilities, with `*` for any characters: `delete_*`, `*`. */
export const AskPattern = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}\s]+$/u, 'no spaces and no invisible characters')

/** Does the whole name fit? In time linear in the name for each part between two `*`. */
export function fitsPattern(pattern: string, name: string): boolean {
  const [head = '', ...parts] = pattern.split('*')
  if (parts.length === 0) return name === pattern
  if (!name.startsWith(head)) return false
  const tail = parts.pop()!
  let from = head.length
  for (const part of parts) {
    const found = name.indexOf(part, from)
    if (found === -1) return false
    from = found + part.length
  }
  return name.length - tail.length >= from && name.endsWith(tail)
}

/** Is a person asked before this capability is called? What was said of the capability itself goes before the patterns. */
export const isAsked = (name: string, said: boolean | null | undefined, patterns: readonly string[]): boolean =>
  said ?? patterns.some((pattern) => fitsPattern(pattern, name))
