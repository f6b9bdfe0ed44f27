import { expect, test } from 'vitest'
import { MODERN } from '../contract/mcp.ts'
import { argumentHeaders, modernHeaders } from './modern-headers.ts'

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
