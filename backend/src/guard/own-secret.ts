import { formsOf } from './secret-forms.ts'
import { redactedAs } from './secret-shapes.ts'

/** Finds known values in texts. It is the only thing that holds them, and gives them to nobody. */
export interface OwnSecretFinder {
  /** @returns the very text when it holds none. */
  readonly without: (text: string, found: (kind: string) => void) => string
  /** Values that JSON may write as a number. */
  readonly isNumber: (number: number) => boolean
}

export const OWN_SECRET = 'own-secret'
const FILLING = 'REDACTED'

export function createOwnSecretFinder(values: Iterable<string>): OwnSecretFinder {
  const known = [...new Set(values)]
  const forms = known.flatMap(formsOf).toSorted((one, other) => other.text.length - one.text.length)
  const numbers = new Set(known.filter((value) => value === String(Number(value)) && formsOf(value).length > 0))

  return {
    without(text, found) {
      let clean = text
      for (const form of forms) {
        if (!clean.includes(form.text)) continue
        found(OWN_SECRET)
        clean = clean.split(form.text).join(form.base64 ? filling(form.text.length) : redactedAs(OWN_SECRET))
      }
      return clean
    },
    isNumber: (number) => numbers.size > 0 && numbers.has(String(number)),
  }
}

const filling = (length: number): string => FILLING.repeat(Math.ceil(length / FILLING.length)).slice(0, length)
