import { expect, test } from 'vitest'
import { linesOf } from './docker-guards.ts'

test('without firewalls nothing is dropped', () => {
  expect(linesOf('BED', [])).toEqual([])
})

test('a guarded droplet lets in what goes on, what its firewalls open, and nothing else', () => {
  const openings = [
    { protocol: 'tcp', ports: '30000', sources: ['10.91.0.1', '10.92.0.0/16'] },
    { protocol: 'udp', ports: '8000-9000', sources: ['10.91.0.1'] },
    { protocol: 'tcp', ports: '0', sources: ['10.93.0.1'] },
    { protocol: 'icmp', ports: '0', sources: ['10.91.0.1'] },
  ] as const
  const guards = [
    { address: '10.91.7.1', openings },
    { address: '10.91.7.2', openings: [] },
  ]
  expect(linesOf('BED', guards)).toEqual([
    '-A BED -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
    '-A BED -s 10.91.0.1 -d 10.91.7.1 -p tcp --dport 30000 -j RETURN',
    '-A BED -s 10.92.0.0/16 -d 10.91.7.1 -p tcp --dport 30000 -j RETURN',
    '-A BED -s 10.91.0.1 -d 10.91.7.1 -p udp --dport 8000:9000 -j RETURN',
    '-A BED -s 10.93.0.1 -d 10.91.7.1 -p tcp -j RETURN',
    '-A BED -s 10.91.0.1 -d 10.91.7.1 -p icmp -j RETURN',
    '-A BED -d 10.91.7.1 -j DROP',
    '-A BED -d 10.91.7.2 -j DROP',
  ])
})
