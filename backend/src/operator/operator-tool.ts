import { problem, type UserOperation } from '@agentopia/api'
import { parsed, type Schema, sent } from '@agentopia/api/json-schema'
import { whyLeftOut } from './left-out.ts'

/** An operation as a tool of MCP. */
export interface OperatorTool {
  readonly op: UserOperation
  /** As `tools/list` shows it. */
  readonly listed: {
    readonly name: string
    readonly title: string
    readonly description: string
    readonly inputSchema: object
    readonly annotations: {
      readonly readOnlyHint: boolean
      readonly destructiveHint: boolean
      readonly idempotentHint: boolean
    }
  }
  /** What a request for the operation would hold. @throws {ProblemError} `invalid-request` for an argument that is none of the tool. */
  readonly partsOf: (args: Readonly<Record<string, unknown>>) => Parts
}

interface Parts {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
}

type Properties = Readonly<Record<string, Schema>>

/** The tools that these operations are, by name. @param operations Every operation there is. */
export const toolsOf = (operations: readonly UserOperation[]): ReadonlyMap<string, OperatorTool> =>
  new Map(operations.filter((op) => whyLeftOut(op, operations) === undefined).map((op) => [op.id, toolOf(op)]))

/** @throws {Error} when two parts of the operation have a field of one name: which one an argument means could not be told. */
function toolOf(op: UserOperation): OperatorTool {
  const places = placesOf(op)
  const { properties, required } = places
  return {
    op,
    listed: {
      name: op.id,
      title: titleOf(op.id),
      description: descriptionOf(op),
      inputSchema: { type: 'object', properties, required, additionalProperties: false },
      annotations: annotationsOf(op),
    },
    partsOf(args) {
      const stranger = Object.keys(args).find((name) => !Object.hasOwn(properties, name))
      if (stranger !== undefined)
        throw problem('invalid-request', `${stranger.slice(0, 100)}: is not an argument of ${op.id}`)
      return { params: textsIn(args, places.params), query: textsIn(args, places.query), body: bodyIn(args, places) }
    },
  }
}

interface Places {
  readonly params: Properties
  readonly query: Properties
  /** Fields of the body that stand among the arguments; `undefined`: the body is an argument itself, or there is none. */
  readonly fields: Properties | undefined
  readonly properties: Properties
  readonly required: readonly string[]
}

/** One level for the model, whatever the parts of a request: only a body of several forms keeps its place, as `body`. */
function placesOf({ id, params, query, body }: UserOperation): Places {
  const inAddress = [params, query].map((schema) => ({
    properties: schema ? (parsed(schema).properties as Properties) : {},
    required: schema ? (sent(schema).required ?? []) : [],
  }))
  const schema = body && sent(body)
  const fields = schema?.properties as Properties | undefined
  const inBody = fields
    ? { properties: fields, required: schema?.required ?? [] }
    : { properties: schema ? { body: schema } : {}, required: schema ? ['body'] : [] }
  const all = [...inAddress, inBody]
  const names = all.flatMap(({ properties }) => Object.keys(properties))
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new Error(`${id} has two fields that are called ${twice}`)
  return {
    params: inAddress[0]!.properties,
    query: inAddress[1]!.properties,
    fields,
    properties: Object.assign({}, ...all.map(({ properties }) => properties)),
    required: all.flatMap(({ required }) => required),
  }
}

/** As they would stand in an address. */
function textsIn(args: Readonly<Record<string, unknown>>, places: Properties): Record<string, string> {
  const given = Object.entries(args).filter(([name, value]) => Object.hasOwn(places, name) && value !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [name, textOf(name, value)]))
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw problem('invalid-request', `${name}: must be a text, a number, true or false`)
}

function bodyIn(args: Readonly<Record<string, unknown>>, { fields }: Places): unknown {
  if (!fields) return args['body']
  return Object.fromEntries(Object.entries(args).filter(([name]) => Object.hasOwn(fields, name)))
}

/** `deployTool` → `Deploy tool`. */
const titleOf = (id: string): string => {
  const words = id.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words[0]!.toUpperCase() + words.slice(1)
}

function descriptionOf(op: UserOperation): string {
  const later =
    op.status === 202 ? ' Answers at once; it is carried out afterwards: read it again to see how far it is.' : ''
  return `${op.summary}.${later} Needs the role ${op.auth}.`
}

/** From the method, and from whether it asks for a name as confirmation: what is added can be taken away again. */
function annotationsOf({ method, problems }: UserOperation): OperatorTool['listed']['annotations'] {
  const readOnlyHint = method === 'GET'
  return {
    readOnlyHint,
    destructiveHint: !readOnlyHint && (method !== 'POST' || problems.includes('not-confirmed')),
    idempotentHint: method !== 'POST' && method !== 'PATCH',
  }
}
