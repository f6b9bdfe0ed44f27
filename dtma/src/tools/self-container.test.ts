import { expect, test } from 'vitest'
import { selfIdsOf } from './self-container.ts'

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
