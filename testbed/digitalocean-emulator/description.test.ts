import { expect, test } from 'vitest'
import { judgeBy } from './description.ts'

/** A description as small as can be. */
const DESCRIPTION = {
  paths: {
    '/v2/things/{id}': {
      post: {
        parameters: [{ $ref: '#/components/parameters/page' }],
        requestBody: { $ref: '#/components/requestBodies/thing' },
        responses: {
          201: { content: { 'application/json': { schema: { $ref: '#/components/schemas/thing' } } } },
          404: { content: { 'application/json': { schema: { type: 'object', required: ['id'] } } } },
        },
      },
      delete: { responses: { 204: { description: 'gone' } } },
    },
  },
  components: {
    parameters: { page: { name: 'page', in: 'query', schema: { type: 'integer' } } },
    requestBodies: {
      thing: { content: { 'application/json': { schema: { anyOf: [{ $ref: '#/components/schemas/thing' }] } } } },
    },
    schemas: {
      thing: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', pattern: '^[a-z\\-]+$' }, size: { type: 'integer', nullable: true } },
        example: { id: 'an id that is no id' },
      },
    },
  },
}

async function complaintsOf(path: string, init: RequestInit, answer: Response): Promise<string[]> {
  const judge = judgeBy(DESCRIPTION, async () => answer)
  await judge.fetch(`http://digitalocean${path}`, init)
  return judge.complaints.map(({ call, what }) => `${call}: ${what}`)
}
const post = (body: unknown) => ({ method: 'POST', body: JSON.stringify(body) })
const made = (body: unknown, status = 201) => Response.json(body, { status })
const THING = 'POST /v2/things/{id}'

test('what agrees has nothing said against it', async () => {
  const fine = { name: 'a-thing', size: null }
  expect(await complaintsOf('/v2/things/1?page=2', post(fine), made(fine))).toEqual([])
  expect(await complaintsOf('/v2/things/1', { method: 'DELETE' }, new Response(null, { status: 204 }))).toEqual([])
})

test.each([
  [
    'a field that is missing',
    post({ size: 1 }),
    made({ name: 'a' }),
    `${THING}: asked: body must have required property 'name'`,
  ],
  [
    'a field that nobody described',
    post({ name: 'a', sizes: 1 }),
    made({ name: 'a' }),
    `${THING}: asked: the field sizes is not described`,
  ],
  [
    'a value of another type',
    post({ name: 'a' }),
    made({ name: 1 }),
    `${THING}: answered 201: body/name must be string`,
  ],
  [
    'a value that does not match',
    post({ name: 'A' }),
    made({ name: 'a' }),
    `${THING}: asked: body/name must match pattern`,
  ],
  ['a status', post({ name: 'a' }), made({ name: 'a' }, 202), `${THING}: the status 202 is not described`],
  [
    'a refusal of another form',
    post({}),
    made({}, 404),
    `${THING}: answered 404: body must have required property 'id'`,
  ],
])('%s is complained of', async (_, init, answer, complaint) => {
  const found = await complaintsOf('/v2/things/1', init, answer)
  expect(
    found.some((line) => line.startsWith(complaint)),
    found.join('\n'),
  ).toBe(true)
})

test('a path, a method or a query that is not described is complained of', async () => {
  const answer = () => made({ name: 'a' })
  expect(await complaintsOf('/v2/nothings', post({}), answer())).toEqual(['POST /v2/nothings: is not described'])
  expect(await complaintsOf('/v2/things/1', { method: 'PUT' }, answer())).toEqual([
    'PUT /v2/things/{id}: is not described',
  ])
  expect(await complaintsOf('/v2/things/1?pages=1', post({ name: 'a' }), answer())).toEqual([
    `${THING}: the query pages is not described`,
  ])
})
