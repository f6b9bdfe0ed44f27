import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'

// DigitalOcean's own description of its API (OpenAPI 3.0), as a judge of what is asked and what is answered.

/** What does not agree with the description. */
interface Complaint {
  /** `POST /v2/droplets`. */
  readonly call: string
  readonly what: string
}

export interface Judge {
  /** The same API; every call through it is judged. */
  readonly fetch: typeof fetch
  readonly complaints: readonly Complaint[]
  /** Operations that were called, as the description writes them, with how often. */
  readonly called: ReadonlyMap<string, number>
}

type Json = Readonly<Record<string, unknown>>

interface Operation {
  readonly parameters?: readonly Json[]
  readonly requestBody?: Json
  readonly responses: Readonly<Record<string, Json>>
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/** Of what our client calls (`npm run extract:digitalocean`). */
export const API_DESCRIPTION = JSON.parse(
  readFileSync(new URL('./api-description.generated.json', import.meta.url), 'utf8'),
) as { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> }

/** @param document The parsed document. */
export function judgeBy(document: unknown, inner: typeof fetch): Judge {
  const description = asSchemas(document) as Json
  const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, logger: false })
  ajv.addSchema({ $id: 'description', ...description } as object)
  const complaints: Complaint[] = []
  const called = new Map<string, number>()
  const paths = description['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>

  const at = (pointer: readonly string[]): Json => pointer.reduce((node, key) => node[key] as Json, description) as Json
  const pointerTo = (keys: readonly string[]): string =>
    keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
  /** Follows references to where the thing itself is. */
  function resolve(keys: readonly string[]): readonly string[] {
    const reference = at(keys)['$ref']
    return typeof reference === 'string' ? resolve(reference.slice(2).split('/')) : keys
  }

  function mismatch(keys: readonly string[], value: unknown): string | undefined {
    const validate = ajv.compile({ $ref: `description#/${pointerTo(keys)}` })
    if (validate(value)) return undefined
    return ajv.errorsText(validate.errors, { dataVar: 'body' })
  }

  /** Names of the fields that a schema knows, whichever of its forms is meant. */
  function fieldsOf(keys: readonly string[], depth = 0): ReadonlySet<string> {
    const here = resolve(keys)
    const schema = at(here)
    const fields = new Set(Object.keys((schema['properties'] as Json | undefined) ?? {}))
    if (depth < 8)
      for (const form of ['allOf', 'anyOf', 'oneOf'])
        for (const index of ((schema[form] as unknown[] | undefined) ?? []).keys())
          for (const field of fieldsOf([...here, form, String(index)], depth + 1)) fields.add(field)
    return fields
  }

  function judgeRequest(call: string, keys: readonly string[], operation: Operation, url: URL, body: string): void {
    const known = (operation.parameters ?? []).map((_, index) => at(resolve([...keys, 'parameters', String(index)])))
    const queries = known.filter((parameter) => parameter['in'] === 'query').map((parameter) => parameter['name'])
    for (const name of url.searchParams.keys())
      if (!queries.includes(name)) complaints.push({ call, what: `the query ${name} is not described` })
    if (body === '' || body === '{}') return
    if (!operation.requestBody) return void complaints.push({ call, what: 'a body is not described' })
    const schema = [...resolve([...keys, 'requestBody']), 'content', 'application/json', 'schema']
    const value = JSON.parse(body) as Json
    const wrong = mismatch(schema, value)
    if (wrong) complaints.push({ call, what: `asked: ${wrong}` })
    const fields = fieldsOf(schema)
    for (const name of Object.keys(value))
      if (!fields.has(name)) complaints.push({ call, what: `asked: the field ${name} is not described` })
  }

  function judgeAnswer(call: string, keys: readonly string[], operation: Operation, status: number, text: string) {
    const name = [String(status), 'default'].find((one) => operation.responses[one] !== undefined)
    if (!name) return void complaints.push({ call, what: `the status ${status} is not described` })
    const answer = resolve([...keys, 'responses', name])
    if (!(at(answer)['content'] as Json | undefined)?.['application/json']) {
      if (text !== '') complaints.push({ call, what: `answered ${status} with a body that is not described` })
      return
    }
    const wrong = mismatch([...answer, 'content', 'application/json', 'schema'], JSON.parse(text))
    if (wrong) complaints.push({ call, what: `answered ${status}: ${wrong}` })
  }

  return {
    complaints,
    called,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const body = await request.clone().text()
      const url = new URL(request.url)
      const answer = await inner(request)
      const text = await answer.clone().text()
      const path = Object.keys(paths).find((one) => matches(one, url.pathname))
      const method = METHODS.find((one) => one.toUpperCase() === request.method)
      const operation = path && method ? paths[path]?.[method] : undefined
      const call = `${request.method} ${path ?? url.pathname}`
      called.set(call, (called.get(call) ?? 0) + 1)
      if (!path || !method || !operation) complaints.push({ call, what: 'is not described' })
      else {
        const keys = ['paths', path, method]
        // What is refused is judged by its refusal: a request that is to be refused need not agree.
        if (answer.status < 400) judgeRequest(call, keys, operation, url, body)
        judgeAnswer(call, keys, operation, answer.status, text)
      }
      return answer
    },
  }
}

const NO_RULE = ['example', 'examples', 'discriminator', 'x-codeSamples']

/** OpenAPI 3.0 says some things otherwise than JSON Schema: what is no rule goes, the rest is said in its way. */
function asSchemas(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(asSchemas)
  if (typeof node !== 'object' || node === null) return node
  const kept = Object.entries(node).filter(
    ([key, value]) =>
      !NO_RULE.includes(key) &&
      !((key === 'exclusiveMinimum' || key === 'exclusiveMaximum') && typeof value === 'boolean') &&
      !(key === 'nullable' && !('type' in node)),
  )
  return Object.fromEntries(kept.map(([key, value]) => [key, asSchemas(value)]))
}

function matches(template: string, pathname: string): boolean {
  const wanted = template.split('/')
  const given = pathname.split('/')
  return wanted.length === given.length && wanted.every((part, n) => part.startsWith('{') || part === given[n])
}
