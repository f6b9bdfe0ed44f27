import { expect, test } from 'vitest'
import { ownNames, type RequestSource, refusalOf } from './same-site.ts'

const own = ownNames({ host: '127.0.0.1', port: 3000 }, 'https://tools.example.com')
const ours = 'https://tools.example.com'
const theirs = 'https://evil.example'

const source = (over: Partial<RequestSource> = {}): RequestSource => ({
  method: 'POST',
  host: 'tools.example.com',
  origin: undefined,
  fetchSite: undefined,
  hasCookie: true,
  hasAuthorization: false,
  ...over,
})

const cases: { name: string; over: Partial<RequestSource>; allowed: boolean }[] = [
  { name: 'our page', over: { fetchSite: 'same-origin', origin: ours }, allowed: true },
  { name: 'our page in a browser without Sec-Fetch-Site', over: { origin: ours }, allowed: true },
  { name: 'our page on loopback', over: { host: 'localhost:3000', origin: 'http://localhost:3000' }, allowed: true },
  { name: 'our page on IPv6 loopback', over: { host: '[::1]:3000', origin: 'http://[::1]:3000' }, allowed: true },
  { name: 'another site', over: { fetchSite: 'cross-site', origin: theirs }, allowed: false },
  { name: 'another site in an old browser', over: { origin: theirs }, allowed: false },
  {
    name: 'a sibling host of our site',
    over: { fetchSite: 'same-site', origin: 'https://x.example.com' },
    allowed: false,
  },
  { name: 'a sandboxed frame', over: { origin: 'null' }, allowed: false },
  { name: 'another port of this machine', over: { origin: 'http://localhost:4000' }, allowed: false },
  { name: 'a cookie and no word of where it comes from', over: {}, allowed: false },
  { name: 'no cookie and no browser: a first sign-in by a program', over: { hasCookie: false }, allowed: true },
  {
    name: 'another site, without a cookie: to sign the victim in',
    over: { hasCookie: false, origin: theirs },
    allowed: false,
  },
  { name: 'a program with a token', over: { hasCookie: false, hasAuthorization: true }, allowed: true },
  { name: 'a link from another site', over: { method: 'GET', fetchSite: 'cross-site' }, allowed: true },
  { name: 'a rebound name', over: { method: 'GET', host: 'evil.example:3000' }, allowed: false },
  { name: 'a rebound name with a token', over: { host: 'evil.example:3000', hasAuthorization: true }, allowed: false },
  { name: 'loopback under another port', over: { method: 'GET', host: 'localhost:4000' }, allowed: false },
  { name: 'no host at all', over: { method: 'GET', host: undefined }, allowed: false },
]

test.each(cases)('T05 $name: allowed is $allowed', ({ over, allowed }) => {
  expect(refusalOf(source(over), own) === undefined).toBe(allowed)
})
