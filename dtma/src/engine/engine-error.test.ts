import { expect, test } from 'vitest'
import { faultOfMessage, faultOfSocket, faultOfStatus } from './engine-error.ts'

test.each([
  ['write /var/lib/docker/tmp/x: no space left on device', 'disk-full'],
  ['manifest for x@sha256:0 not found: manifest unknown: manifest unknown', 'not-found'],
  ["pull access denied for x, repository does not exist or may require 'docker login'", 'auth'],
  ['Get "https://r.example/v2/": no basic auth credentials', 'auth'],
  ['Get "https://r.example/v2/": dial tcp 10.0.0.1:443: connect: connection refused', 'unreachable'],
  ['Get "https://r.example/v2/": context deadline exceeded', 'unreachable'],
  ['Head "https://r.example/v2/x/manifests/1": net/http: request canceled', 'unreachable'],
  [
    'Get "https://r.example/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
    'unreachable',
  ],
  [
    'Failed to Setup IP tables: Unable to enable DROP INCOMING rule:  (iptables failed: iptables --wait -I DOCKER-ISOLATION-STAGE-1 -i br-1 ! -d 172.22.0.0/16 -j DROP: iptables: No chain/target/match by that name.)',
    'no-firewall',
  ],
  ['the container name "/x" is already in use', undefined],
])('the sentence "%s" means %s', (message, fault) => {
  expect(faultOfMessage(message)).toBe(fault)
})

test.each([
  [404, 'No such container: x', 'not-found'],
  [409, 'Conflict. The container name "/x" is already in use', 'conflict'],
  [400, 'invalid mount config', 'invalid'],
  [500, 'mkdir x: no space left on device', 'disk-full'],
  [500, 'something else', 'failed'],
])('an answer %i "%s" is %s', (status, message, fault) => {
  expect(faultOfStatus(status, message, 'create').fault).toBe(fault)
})

test('a missing socket and a forbidden one are both "down", and say which', () => {
  const missing = faultOfSocket(Object.assign(new Error('x'), { code: 'ENOENT' }), 'ping')
  const forbidden = faultOfSocket(Object.assign(new Error('x'), { code: 'EACCES' }), 'ping')
  expect([missing.fault, forbidden.fault]).toEqual(['down', 'down'])
  expect(missing.message).toContain('not running')
  expect(forbidden.message).toContain('may not open')
})
