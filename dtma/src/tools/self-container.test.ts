import { expect, test } from 'vitest'
import { pathOnMachine, selfIdsOf } from './self-container.ts'

const id = 'ab'.repeat(32)
const mountInfo = `1 2 8:1 /var/lib/docker/containers/${id}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/sda1 rw\n`

test.each([
  ['a container that was given a name of its own', { mountInfo, hostname: 'dtma' }, [id]],
  ['an ordinary container', { mountInfo, hostname: 'ababababab01' }, [id, 'ababababab01']],
  ['a container without a readable mount table', { mountInfo: '', hostname: 'ababababab01' }, ['ababababab01']],
  ['a plain process', { mountInfo: '1 2 8:1 / / rw - ext4 /dev/sda1 rw\n', hostname: 'laptop' }, []],
])('%s', (_, hints, ids) => {
  expect(selfIdsOf(hints)).toEqual(ids)
})

const mount = (Source: string, Destination: string) => ({ Type: 'bind', Source, Destination, RW: true })
const self = {
  Mounts: [
    mount('/run/docker.sock', '/var/run/docker.sock'),
    mount('/data', '/var/lib'),
    mount('/data/own', '/var/lib/dtma'),
  ],
}

test.each<[string, { Mounts: typeof self.Mounts } | undefined, string, string | undefined]>([
  ['a plain process names a path as the machine does', undefined, '/var/lib/dtma/gateway', '/var/lib/dtma/gateway'],
  ['the innermost mount counts', self, '/var/lib/dtma/gateway', '/data/own/gateway'],
  ['a mount itself', self, '/var/lib/dtma', '/data/own'],
  ['a neighbour whose name begins alike', self, '/var/lib/dtma2/x', '/data/dtma2/x'],
  ['what lies in no mount Docker cannot hand on', self, '/tmp/x', undefined],
  ['nor what lies in memory', { Mounts: [mount('', '/tmp')] }, '/tmp/x', undefined],
])('the name of a path on the machine: %s', (_, container, path, expected) => {
  expect(pathOnMachine(container, path)).toBe(expected)
})
