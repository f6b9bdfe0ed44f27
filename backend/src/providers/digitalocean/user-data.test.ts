import { InstallVariant } from '@agentopia/api'
import { expect, test } from 'vitest'
import { USER_DATA_LIMIT, userData } from './user-data.ts'

const fields = {
  variant: 'docker',
  publicUrl: 'https://agentopia.example',
  keyPin: 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  toolboxId: 'toolbox_0123456789abcdef',
  enrolmentToken: 'enrol_the-token-that-works-once',
} as const

test.each(InstallVariant.options)('by %s it is as it was read and approved', async (variant) => {
  await expect(userData({ ...fields, variant })).toMatchFileSnapshot(`./fixtures/user-data.${variant}.sh`)
})

test('K07 holds the four fields that it may hold, and is far below the limit', () => {
  const text = userData(fields)
  const assigned = [...text.matchAll(/^([A-Z_]+)='?(.*?)'?$/gm)].map(([, name, value]) => [name, value])
  expect(assigned).toEqual([
    ['CONTROL_PLANE', fields.publicUrl],
    ['PIN', fields.keyPin],
    ['TOOLBOX_ID', fields.toolboxId],
    ['TOKEN', fields.enrolmentToken],
    ['SCRIPT', '/root/install-agentopia.sh'],
  ])
  expect(Buffer.byteLength(text)).toBeLessThan(USER_DATA_LIMIT / 4)
  expect(text).not.toMatch(/set -\w*x/)
})

test.each([["'; rm -rf /; '"], ['two words'], ['two\nlines']])('nothing gets out of its quotes: %j', (value) => {
  expect(() => userData({ ...fields, toolboxId: value })).toThrow('does not fit')
})
