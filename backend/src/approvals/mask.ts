import { visible } from '@agentopia/api'

/** What stands for a secret. */
const MASK = '•••'

/** Names under which secrets travel. `max_tokens` is a number of words. */
const SECRET_NAME =
  /pass(?:word|phrase|wd)|^pass$|^pwd$|secret|token(?!s)|api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|authorization|credential|cookie|^auth$|^otp$|^pin$|^cvv$/i

/** What secrets look like, wherever they stand: keys of well-known services, JWTs, private keys, passwords in addresses. */
const SECRET_TEXTS = [
  /\b(?:sk|pk|rk|ghp|gho|ghu|ghs|github_pat|glpat|xox[abeprs]|dop_v1|npm|hf|agt|tbx|inv)[-_][\w-]{12,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /(?<=\bBearer )[\w.~+/=-]{8,}/gi,
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)/g,
] as const

/** Longest text that is shown whole, and longest arguments. In characters. */
const LONGEST_TEXT = 2_000
const LONGEST = 16_000
const MOST_LEVELS = 32

/**
 * Arguments as they may be shown to who decides about the call: JSON, what looks like a secret masked, hidden characters written
 * out, what is long cut and said to be. What no pattern knows for a secret is shown: nobody can decide about what he does not see.
 */
export function maskArguments(args: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(masked(args, false, 0), null, 2)
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}\n… ${text.length - LONGEST} characters more`
}

function masked(value: unknown, secret: boolean, level: number): unknown {
  if (typeof value === 'boolean' || value === null) return value
  if (typeof value === 'object' && level >= MOST_LEVELS) return '…'
  if (Array.isArray(value)) return value.map((inner) => masked(inner, secret, level + 1))
  if (typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        visible(name),
        masked(inner, secret || SECRET_NAME.test(name), level + 1),
      ]),
    )
  if (secret) return MASK
  return typeof value === 'string' ? shown(value) : value
}

function shown(text: string): string {
  // More than is shown, so that no secret is cut in two before it is known for one.
  const near = text.slice(0, 5 * LONGEST_TEXT)
  const safe = visible(SECRET_TEXTS.reduce((left, pattern) => left.replace(pattern, MASK), near))
  if (text.length === near.length && safe.length <= LONGEST_TEXT) return safe
  return `${safe.slice(0, LONGEST_TEXT)}… of ${text.length} characters`
}
