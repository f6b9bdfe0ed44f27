/** One step of a path: a member, a position, all of them, or all of them at any depth. */
export type PathStep =
  | { readonly name: string }
  | { readonly position: number }
  | { readonly every: true }
  | { readonly deep: true }

const STEP = /(?<dots>\.\.?)(?<name>[A-Za-z_][\w-]*|\*)|\[(?:(?<position>\d+)|(?<star>\*)|'(?<quoted>[^'\\]+)')\]/g

/** The steps of a path that the contract let through. */
export function stepsOf(path: string): readonly PathStep[] {
  return [...path.matchAll(STEP)].flatMap(({ groups = {} }): PathStep[] => {
    const { dots, name, position, star, quoted } = groups
    if (position !== undefined) return [{ position: Number(position) }]
    if (star !== undefined) return [{ every: true }]
    const step: PathStep = name === '*' ? { every: true } : { name: quoted ?? name! }
    return dots === '..' ? [{ deep: true }, step] : [step]
  })
}

/** What stands where something was. */
const GONE = '[redacted]'
/** What is nested deeper is not looked at, and not kept. */
const MOST_LEVELS = 100

/** A copy of the value in which everything at the path is replaced. */
export function without(value: unknown, steps: readonly PathStep[], levels = MOST_LEVELS): unknown {
  const [step, ...rest] = steps
  if (!step) return GONE
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return GONE
  if ('deep' in step) {
    const here = without(value, rest, levels)
    return inside(
      here,
      () => true,
      (inner) => without(inner, steps, levels - 1),
    )
  }
  return inside(
    value,
    (key) => isAt(step, key),
    (inner) => without(inner, rest, levels - 1),
  )
}

const isAt = (step: Exclude<PathStep, { deep: true }>, key: string | number): boolean =>
  'every' in step || ('name' in step ? step.name === key : step.position === key)

function inside(
  value: unknown,
  chosen: (key: string | number) => boolean,
  change: (inner: unknown) => unknown,
): unknown {
  if (Array.isArray(value)) return value.map((inner, position) => (chosen(position) ? change(inner) : inner))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, chosen(key) ? change(inner) : inner]))
}
