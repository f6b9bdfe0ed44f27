import { expect, test } from 'vitest'
import { clientOf, ownerOf, parseTrustedProxies } from './client-address.ts'

const PEER = '10.0.0.2'

test.each([
  ['nobody is trusted: the peer, whatever the header says', '0', '1.2.3.4', PEER],
  ['one proxy: what it saw', '1', '1.2.3.4', '1.2.3.4'],
  ['one proxy: what a client wrote before it is not believed', '1', '6.6.6.6, 1.2.3.4', '1.2.3.4'],
  ['two proxies', '2', '6.6.6.6, 1.2.3.4, 10.0.0.9', '1.2.3.4'],
  ['more proxies than the header has addresses', '3', '1.2.3.4', '1.2.3.4'],
  ['a proxy that adds nothing', '1', undefined, PEER],
  ['a proxy that adds nonsense', '1', 'unknown', PEER],
  ['proxies by network', '10.0.0.0/8', '6.6.6.6, 1.2.3.4, 10.0.0.9', '1.2.3.4'],
  ['proxies by address, and the peer is none of them', '192.168.0.1,127.0.0.1', '1.2.3.4', PEER],
  ['all of them trusted: the first', '0.0.0.0/0', '1.1.1.1, 2.2.2.2', '1.1.1.1'],
  ['a port and brackets are left out', '1', '[2001:db8::1]:443', '2001:db8::1'],
  ['an IPv4 address with a port', '1', '1.2.3.4:5000', '1.2.3.4'],
])('%s', (_, trusted, header, client) => {
  expect(clientOf(PEER, header, parseTrustedProxies(trusted))).toBe(client)
})

test('an IPv4 peer on an IPv6 socket is found by its IPv4 network', () => {
  expect(clientOf('::ffff:10.0.0.2', '1.2.3.4', parseTrustedProxies('10.0.0.0/8'))).toBe('1.2.3.4')
})

test.each([
  ['1.2.3.4', '1.2.3.4'],
  ['unknown', 'unknown'],
  ['2001:db8:1:2:aaaa:bbbb:cccc:dddd', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('limits count %s as %s: whoever has one address of IPv6 has the rest of its network', (address, owner) => {
  expect(ownerOf(address)).toBe(owner)
})

test('IPv6 networks are known too', () => {
  expect(clientOf('fd00::2', '2001:db8::7', parseTrustedProxies('fd00::/8, ::1'))).toBe('2001:db8::7')
})

test.each(['yes', '10.0.0.0/33', '10.0.0', '1,nonsense', '10.0.0.1/8/9', '-1', '::1/129'])('%s is refused', (text) => {
  expect(() => parseTrustedProxies(text)).toThrow('must be a number of proxies')
})
