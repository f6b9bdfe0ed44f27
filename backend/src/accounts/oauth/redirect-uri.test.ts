import { expect, test } from 'vitest'
import { isRegisteredRedirect, redirectHostOf, refusalOfRedirect, staysHere, withParameters } from './redirect-uri.ts'

test.each([
  'https://app.example/cb?x=1',
  'http://localhost/cb',
  'http://[::1]:1/cb',
  'com.example.app:/cb',
  'vscode://x/y',
])('%s may be answered at', (uri) => expect(refusalOfRedirect(uri)).toBeUndefined())

test.each([
  '/cb',
  'http://app.example/cb',
  'http://localhost.evil.example/cb',
  'http://127.0.0.1.evil.example/cb',
  'https://user@app.example/cb',
  'https://app.example/cb#x',
  'https://app.example\\@evil.example/',
  ' https://app.example/',
  'https://app.example/\tcb',
  'JavaScript:alert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  `https://app.example/${'x'.repeat(2_000)}`,
])('%s may not', (uri) => expect(refusalOfRedirect(uri)).toBeDefined())

test('an address is the registered one to the character, but for the port of a program on loopback', () => {
  const registered = ['https://app.example:8443/cb', 'http://127.0.0.1:7000/cb']
  for (const uri of [...registered, 'http://127.0.0.1/cb', 'http://127.0.0.1:9/cb'])
    expect([uri, isRegisteredRedirect(uri, registered)]).toEqual([uri, true])
  for (const uri of [
    'https://app.example/cb',
    'https://app.example:8443/CB',
    'https://127.0.0.1:7000/cb',
    'http://localhost:7000/cb',
    'http://127.0.0.1:7000/cb?x',
    'http://127.0.0.1:7000/cb#x',
  ])
    expect([uri, isRegisteredRedirect(uri, registered)]).toEqual([uri, false])
})

test('people are told the host, or the scheme of a program, and whether the answer stays on their machine', () => {
  expect(['https://app.example/cb', 'http://localhost:7/cb', 'vscode://x/y'].map(redirectHostOf)).toEqual([
    'app.example',
    'localhost:7',
    'vscode:',
  ])
  expect(['https://app.example/cb', 'http://localhost:7/cb', 'vscode://x/y'].map(staysHere)).toEqual([
    false,
    true,
    true,
  ])
})

test('an answer keeps the query that the address has', () => {
  expect(withParameters('https://app.example/cb?a=1', { code: 'x y', state: undefined })).toBe(
    'https://app.example/cb?a=1&code=x+y',
  )
})
