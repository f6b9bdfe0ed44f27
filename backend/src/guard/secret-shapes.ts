/** What is known to be a secret by its looks, whoever it belongs to. */
export interface SecretShape {
  readonly kind: string
  /** A text without any of these has none: they are looked for first. */
  readonly marks: readonly string[]
  /**
   * Begins with one of the marks, and repeats nothing without a bound: a text is read once, and each match a bounded number
   * of times. With a group `secret`, only that is the secret.
   */
  readonly pattern: RegExp
}

/** Not in the middle of a word; `\n` and the like before it are the escapes of a JSON text inside a text. */
function alone(mark: string): string {
  const literal = literally(mark)
  return `${literal}(?<=(?:^|[^A-Za-z0-9_-]|\\\\[nrtbf])${literal})`
}
const literally = (mark: string): string => mark.replaceAll(/[./-]/g, '\\$&')
const END = '(?![A-Za-z0-9_-])'

const shape = (kind: string, marks: readonly string[], rest: string, end = END): SecretShape => ({
  kind,
  marks,
  pattern: new RegExp(`(?:${marks.map(alone).join('|')})${rest}${end}`, 'g'),
})

/**
 * The formats that their makers publish, each with a mark of its own, so that ordinary texts hold none. Why a list of ours:
 * docs/decisions/0070-secrets-in-calls.md.
 */
export const SECRET_SHAPES: readonly SecretShape[] = [
  shape('agentopia-token', ['tbx_', 'agt_', 'oat_', 'ort_', 'inv_'], '[A-Za-z0-9_-]{43}'),
  shape('github-token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], '[A-Za-z0-9]{36,255}'),
  shape('github-token', ['github_pat_'], '[A-Za-z0-9_]{60,255}'),
  shape('gitlab-token', ['glpat-', 'gldt-', 'glrt-'], '[A-Za-z0-9_-]{20,300}', '(?:\\.[a-z0-9.]{2,20})?'),
  // Not where it is part of a signed address: there it is public, and the address would break.
  {
    kind: 'aws-key',
    marks: ['AKIA', 'ASIA'],
    pattern: /A[KS]IA(?<=(?:^|[^A-Za-z0-9]|\\[nrtbf])A[KS]IA)(?<!Credential=A[KS]IA)[A-Z2-7]{16}(?![A-Za-z0-9])/g,
  },
  {
    kind: 'aws-key',
    marks: ['secret_access_key', 'SECRET_ACCESS_KEY', 'SecretAccessKey'],
    pattern:
      /(?:secret_access_key|SECRET_ACCESS_KEY|SecretAccessKey)[\s\\"':=]{1,8}(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/g,
  },
  shape(
    'slack-token',
    ['xoxa-', 'xoxb-', 'xoxe-', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-', 'xapp-'],
    '[A-Za-z0-9-]{10,250}',
  ),
  {
    kind: 'slack-webhook',
    marks: ['hooks.slack.com/'],
    pattern: /hooks\.slack\.com\/(?:services|workflows)\/(?<secret>[A-Za-z0-9+/]{40,80})/g,
  },
  shape('google-key', ['AIza'], '[A-Za-z0-9_-]{35}'),
  shape('google-token', ['ya29.'], '[A-Za-z0-9_-]{20,1024}'),
  shape('google-secret', ['GOCSPX-'], '[A-Za-z0-9_-]{28}'),
  shape('openai-key', ['sk-proj-', 'sk-svcacct-', 'sk-admin-'], '[A-Za-z0-9_-]{40,250}'),
  shape('anthropic-key', ['sk-ant-'], '[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{60,250}'),
  shape('stripe-key', ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'whsec_'], '[A-Za-z0-9]{16,250}'),
  shape('npm-token', ['npm_'], '[A-Za-z0-9]{36}'),
  shape('pypi-token', ['pypi-AgEI'], '[A-Za-z0-9_-]{50,1000}'),
  shape('digitalocean-token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], '[0-9a-f]{64}'),
  shape('sendgrid-key', ['SG.'], '[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}'),
  shape('huggingface-token', ['hf_'], '[A-Za-z0-9]{34}'),
  shape('shopify-token', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], '[0-9a-fA-F]{32}'),
  shape('linear-key', ['lin_api_', 'lin_oauth_'], '[A-Za-z0-9]{40,64}'),
  shape('jwt', ['eyJ'], '[A-Za-z0-9_-]{10,4096}\\.eyJ[A-Za-z0-9_-]{10,8192}\\.[A-Za-z0-9_-]{20,1024}'),
  {
    kind: 'private-key',
    marks: ['-----BEGIN '],
    // Without its end it goes as far as a key may go: half a key is too much of it.
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,16384}(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?/g,
  },
  {
    kind: 'password-in-address',
    marks: ['://'],
    pattern: /:\/\/[^\s/:@"'<>\\]{0,128}:(?<secret>[^\s/@"'<>\\]{3,256})@/g,
  },
]

/** JSON may write any character as an escape: then the marks may be there without being seen. */
const mayHide = (json: string): boolean => json.includes('\\u') || json.includes('\\/')

/** All marks at once: one look at a text costs half of what looking for each would. */
const ANY_MARK = new RegExp(
  SECRET_SHAPES.flatMap(({ marks }) => marks)
    .map(literally)
    .join('|'),
  'g',
)

/** The shapes that may be in a value, by the look of its JSON: for most values none. */
export function shapesIn(json: string): readonly SecretShape[] {
  if (mayHide(json)) return SECRET_SHAPES
  if (json.search(ANY_MARK) === -1) return NONE
  const there = new Set<string>()
  for (const [mark] of json.matchAll(ANY_MARK)) there.add(mark)
  return SECRET_SHAPES.filter(({ marks }) => marks.some((mark) => there.has(mark)))
}

const NONE: readonly SecretShape[] = []

/** Replaces every secret of these shapes. @returns the very text when there is none. */
export function withoutShapes(text: string, shapes: readonly SecretShape[], found: (kind: string) => void): string {
  let clean = text
  for (const { kind, marks, pattern } of shapes)
    if (marks.some((mark) => clean.includes(mark)))
      clean = clean.replace(pattern, (match, ...rest) => {
        found(kind)
        return inPlaceOf(match, secretOf(rest.at(-1)), kind)
      })
  return clean
}

/** Where only a part of a match is secret, the rest stays. */
function inPlaceOf(match: string, secret: string | undefined, kind: string): string {
  if (secret === undefined) return redactedAs(kind)
  const from = match.lastIndexOf(secret)
  return match.slice(0, from) + redactedAs(kind) + match.slice(from + secret.length)
}

/** Named groups come last, when there are any. */
const secretOf = (last: unknown): string | undefined =>
  typeof last === 'object' && last !== null ? (last as { secret?: string }).secret : undefined

/** What stands where a secret stood. */
export const redactedAs = (kind: string): string => `[redacted: ${kind}]`
