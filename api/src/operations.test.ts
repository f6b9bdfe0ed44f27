import { expect, test } from 'vitest'
import { parsed, type Schema, sent } from './json-schema.ts'
import type { UserOperation } from './operation.ts'
import { OPERATIONS } from './operations.ts'

const operations = OPERATIONS as readonly UserOperation[]

interface Leaf {
  readonly name: string
  readonly isSecret: boolean
  readonly isAddress: boolean
}

/** The texts in a schema, by the names of the fields that they stand in; those of a record bear the name of the record. */
function textsIn(schema: Schema, name = ''): Leaf[] {
  const isSecret = schema['x-secret'] === true
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])] as Schema[]
  const { items, additionalProperties } = schema
  return [
    ...(schema.type === 'string' && !schema.enum && schema.const === undefined
      ? [{ name, isSecret, isAddress: schema.format === 'uri' }]
      : []),
    ...inner.flatMap((one) => textsIn(one, name)),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, one]) => textsIn(one as Schema, key)),
    ...(items && typeof items === 'object' ? textsIn(items as Schema, name) : []),
    ...(typeof additionalProperties === 'object' ? textsIn(additionalProperties as Schema, name) : []),
  ]
}

const sentBy = ({ params, query, body }: UserOperation): Leaf[] =>
  [params, query, body].flatMap((schema) => (schema ? textsIn(sent(schema)) : []))
const shownBy = ({ reply, event }: UserOperation): Leaf[] =>
  [reply, event].flatMap((schema) => (schema ? textsIn(parsed(schema)) : []))

const SMELL = /(?:secret|password|passphrase|privatekey|token|apikey)$/i

test('a text whose name smells of a secret is marked as one; where tokens are given out is none', () => {
  const smelling = operations.flatMap((op) =>
    [...sentBy(op), ...shownBy(op)]
      .filter(({ name, isAddress }) => SMELL.test(name) && !isAddress)
      .map((leaf) => ({ id: op.id, ...leaf })),
  )
  expect(smelling.length).toBeGreaterThan(10)
  expect(smelling.filter(({ isSecret }) => !isSecret)).toEqual([])
})

test('what lets in or on without being called a secret is marked, too', () => {
  const marked = (leaves: readonly Leaf[]) => leaves.filter(({ isSecret }) => isSecret).map(({ name }) => name)
  const found = Object.fromEntries(
    operations.map((op) => [op.id, { sent: marked(sentBy(op)), shown: marked(shownBy(op)) }]),
  )
  expect(found).toMatchObject({
    createJoinLine: { sent: [], shown: ['line'] },
    createInvitation: { sent: [], shown: ['link'] },
    createAgentToken: { sent: [], shown: ['secret', 'text'] },
    startConnection: { sent: [], shown: ['authorizationUrl'] },
    finishConnection: { sent: ['state', 'code'], shown: [] },
    finishSignOn: { sent: ['state', 'code'], shown: [] },
    putCredential: { sent: ['values'], shown: [] },
    listApiTokens: { sent: [], shown: [] },
  })
})

test('what is about the caller’s own way in says so', () => {
  const OWN = /^\/api\/(?:me\/|session|tokens)/
  const own = operations.filter(({ auth, path }) => auth !== 'none' && OWN.test(path))
  expect(own.length).toBeGreaterThan(10)
  expect(own.filter(({ personal }) => personal !== 'way-in').map(({ id }) => id)).toEqual([])
  const others = operations.filter(({ path, personal }) => !OWN.test(path) && personal === 'way-in')
  expect(others.map(({ id }) => id)).toEqual([])
})

test('what a person is asked for is the person’s own', () => {
  expect(operations.filter(({ personal }) => personal === 'consent').map(({ id }) => id)).toEqual([
    'describeAuthorization',
    'decideAuthorization',
    'approveCapabilities',
    'startConnection',
    'finishConnection',
    'decideApproval',
  ])
})
