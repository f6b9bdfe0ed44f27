import { expect, test } from 'vitest'
import { MODERN } from '../contract/mcp.ts'
import { argumentHeaders, hasValidHeaders, modernHeaders } from './modern-headers.ts'

const _meta = { 'io.modelcontextprotocol/protocolVersion': MODERN }

test.each([
  ['tools/call', { name: 'echo' }, 'echo'],
  ['prompts/get', { name: 'grüßen' }, '=?base64?Z3LDvMOfZW4=?='],
  ['resources/read', { uri: 'file:///a b' }, 'file:///a b'],
  ['tools/list', {}, undefined],
])('%s %o is named in its headers', (method, params, name) => {
  expect(modernHeaders(method, { ...params, _meta })).toEqual({
    'mcp-protocol-version': MODERN,
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': name }),
  })
})

test('a request of an earlier revision has none of them', () => {
  expect(modernHeaders('tools/call', { name: 'echo' })).toBeUndefined()
})

const field = (name: unknown) => ({ type: 'string', 'x-mcp-header': name })
const inputSchema = {
  type: 'object',
  properties: {
    region: field('Region'),
    plain: { type: 'string' },
    bad: field('a b'),
    in: { properties: { n: field('N') } },
  },
}

test.each<[object, Record<string, string>]>([
  [{ region: 'eu', plain: 'x' }, { 'mcp-param-region': 'eu' }],
  [{ region: ' eu' }, { 'mcp-param-region': '=?base64?IGV1?=' }],
  [{ region: 'a\r\nb' }, { 'mcp-param-region': '=?base64?YQ0KYg==?=' }],
  [{ region: '=?base64?eA==?=' }, { 'mcp-param-region': '=?base64?PT9iYXNlNjQ/ZUE9PT89?=' }],
  [{ region: '' }, { 'mcp-param-region': '=?base64??=' }],
  [
    { region: true, in: { n: 7 } },
    { 'mcp-param-region': 'true', 'mcp-param-n': '7' },
  ],
  [{ region: null, bad: 'x' }, {}],
  [{ region: { deep: 1 }, in: 'x' }, {}],
])('the arguments %o that a tool wants in headers', (args, headers) => {
  expect(argumentHeaders({ name: 't', inputSchema, digest: '' }, args)).toEqual(headers)
})

test('a tool that is not known wants none', () => {
  expect(argumentHeaders(undefined, { region: 'eu' })).toEqual({})
})

const of = (properties: object, others: object = {}) => ({ inputSchema: { type: 'object', properties, ...others } })
const wants = (name: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': name })

test.each([
  ['none', of({ a: { type: 'object' } })],
  ['one of each plain type', of({ a: wants('A'), b: wants('B', 'integer'), c: wants('C', 'boolean') })],
  ['one that may be null', of({ a: wants('A', ['string', 'null']) })],
  ['one within an argument', of({ a: { type: 'object', properties: { b: wants('B') } } })],
  ['an argument that has the name of the keyword', of({ 'x-mcp-header': { type: 'string' } })],
  ['the keyword among values', of({ a: { type: 'object', default: wants('a b'), enum: [wants('')] } })],
])('a tool is offered over HTTP whose schema wants in headers: %s', (_, capability) => {
  expect(hasValidHeaders(capability)).toBe(true)
})

test.each([
  ['without a name', of({ a: wants('') })],
  ['with a name of no header', of({ a: wants('a b') })],
  ['with a line break in its name', of({ a: wants('A\r\nB') })],
  ['with a name beyond ASCII', of({ a: wants('Région') })],
  ['with a name that is no text', of({ a: wants(7) })],
  ['a number that is no integer', of({ a: wants('A', 'number') })],
  ['an object', of({ a: wants('A', 'object') })],
  ['nothing but null', of({ a: wants('A', 'null') })],
  ['of any type', of({ a: { 'x-mcp-header': 'A' } })],
  ['two of one name', of({ a: wants('Region'), b: { properties: { c: wants('region') } } })],
  ['all arguments', of({}, { 'x-mcp-header': 'All' })],
  ['each of a list', of({ a: { type: 'array', items: wants('A') } })],
  ['something of each of a list', of({ a: { type: 'array', items: { properties: { b: wants('B') } } } })],
  ['one of several', of({ a: { oneOf: [wants('A')] } })],
  ['what is defined aside', of({}, { $defs: { a: wants('A') } })],
])('a tool is left out over HTTP whose schema wants in a header: %s', (_, capability) => {
  expect(hasValidHeaders(capability)).toBe(false)
})
