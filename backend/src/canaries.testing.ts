import type { UserOperation } from '@agentopia/api'
import { parsed, type Schema, sent } from '@agentopia/api/json-schema'
import { sql } from 'drizzle-orm'
import { type As, cookieOf, ORIGIN } from './control-plane.testing.ts'
import type { Store } from './store/connect.ts'

/** Where a secret stands in what is sent or answered, by the marks of the contract: `body.login.password`, `reply.snippets.*.text`. */
export const secretPlacesOf = ({ body, reply }: UserOperation): string[] => [
  ...new Set([...(body ? placesIn(sent(body), 'body') : []), ...(reply ? placesIn(parsed(reply), 'reply') : [])]),
]

function placesIn(schema: Schema, at: string): string[] {
  if (schema['x-secret'] === true) return [at]
  const { items, additionalProperties } = schema
  const forms = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])] as Schema[]
  return [
    ...forms.flatMap((form) => placesIn(form, at)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => placesIn(one as Schema, `${at}.${name}`)),
    ...(typeof items === 'object' ? placesIn(items as Schema, `${at}.*`) : []),
    ...(typeof additionalProperties === 'object' ? placesIn(additionalProperties as Schema, `${at}.*`) : []),
  ]
}

/** The texts at a place of a document. */
export function textsAt(document: unknown, place: string): string[] {
  let found = [document]
  for (const step of place.split('.').slice(1))
    found = found.flatMap((one) => {
      if (typeof one !== 'object' || one === null) return []
      return step === '*' ? Object.values(one) : Object.hasOwn(one, step) ? [one[step as keyof typeof one]] : []
    })
  return found.filter((one) => typeof one === 'string')
}

/** A body with something else at each secret place that it fills. */
export const withSecrets = (body: unknown, secrets: readonly string[], other: (secret: string) => unknown): unknown =>
  JSON.parse(JSON.stringify(body), (_, value) => (secrets.includes(value) ? other(value) : value))

/** What of a line, a link or an address opens something; a text that holds none of these is it as a whole. */
function coreOf(text: string): string {
  const [whole, state] = /(?:enrol|agt|tbx|inv|code)_[\w-]{20,}|[?&]state=([\w-]+)/.exec(text) ?? []
  return state ?? whole ?? text
}

type Request = (method: string, path: string, as: As, init?: RequestInit) => Promise<Response>

/**
 * Calls operations and notes each secret that goes in or out, by its place; and apart from these, everything that is answered.
 * @param request To the control plane.
 */
export function createSower(request: Request) {
  const sown = new Map<string, string>()
  const answered: string[] = []
  const bodies = new Map<string, unknown>()

  return {
    sown,
    answered,
    /** By operation: the body that was sent the last time. */
    bodies,
    canary(kind: string): string {
      const value = `canary-${kind.replaceAll(' ', '-')}-${crypto.randomUUID()}`
      sown.set(kind, value)
      return value
    },
    /** @returns The answer, which is read already, and its document. @throws {Error} for a failure, unless `mayFail`. */
    async ask(
      op: UserOperation,
      path: string,
      as: As,
      body?: unknown,
      { mayFail = false } = {},
      // biome-ignore lint/suspicious/noExplicitAny: tests read of it what they know to be there
    ): Promise<{ readonly headers: Headers; readonly json: any }> {
      const init =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
      const answer = await request(op.method, path, as, init)
      const text = await answer.text()
      const isJson = answer.headers.get('content-type')?.includes('json')
      const json = isJson ? JSON.parse(text) : undefined
      if (body !== undefined) bodies.set(op.id, body)
      const shown: string[] = []
      for (const place of secretPlacesOf(op)) {
        const texts = textsAt(place.startsWith('body') ? body : json, place)
        if (place.startsWith('reply')) shown.push(...texts)
        for (const one of texts) sown.set(`${op.id} ${place}`, coreOf(one))
      }
      answered.push(isJson ? JSON.stringify(withSecrets(json, shown, () => 'a secret')) : text)
      answered.push(JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie')))
      if (answer.status >= 400 && !mayFail) throw new Error(`${op.id} answered ${answer.status}: ${text}`)
      return { headers: answer.headers, json }
    },
    /** Kinds whose secret is in a text, in plain or in another writing. */
    foundIn: (text: string): string[] =>
      [...sown].filter(([, value]) => writingsOf(value).some((one) => text.includes(one))).map(([kind]) => kind),
  }
}

function writingsOf(value: string): string[] {
  const bytes = Buffer.from(value)
  // In base64 the neighbours decide about the first and last characters, for each of three offsets.
  const shifted = [0, 1, 2].map((by) =>
    Buffer.concat([Buffer.alloc(by), bytes])
      .toString('base64')
      .slice(4, -4),
  )
  return [value, encodeURIComponent(value), bytes.toString('hex'), ...shifted]
}

/** Every row of every table. */
export async function rowsOf(store: Store): Promise<string> {
  return store.system(async (tx) => {
    const tables = await tx.execute<{ name: string }>(
      sql`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    )
    const found: string[] = []
    for (const { name } of tables.rows) {
      const { rows } = await tx.execute(sql`select to_jsonb(t)::text as row from ${sql.identifier(name)} t`)
      found.push(`${name}: ${JSON.stringify(rows)}`)
    }
    return found.join('\n')
  })
}

/** A browser that shows this cookie besides those it has. */
export const withCookie = (as: As, headers: Headers): As => ({
  origin: ORIGIN,
  cookie: [as['cookie'], cookieOf({ headers })].filter(Boolean).join('; '),
})
