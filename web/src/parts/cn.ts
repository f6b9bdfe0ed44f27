import { type ClassValue, clsx } from 'clsx'
import { extendTailwindMerge } from 'tailwind-merge'

const merge = extendTailwindMerge({ extend: { theme: { text: ['2xs'], shadow: ['card', 'float'] } } })

/** Joins class names; of two that say the same thing, the later holds. */
export const cn = (...classes: ClassValue[]): string => merge(clsx(classes))
