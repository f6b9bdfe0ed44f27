import { deployTool, parseInput } from '@agentopia/api'
import { expect, test } from 'vitest'
import { fieldProblemsOf } from './field-problems.ts'

test('what the contract says about a body is read back into its fields', () => {
  const body = { toolId: 'github', name: 'Not A Name', config: 7 }
  const parsed = parseInput(deployTool, { params: { toolboxId: 'toolbox_0123456789abcdef' }, query: {}, body })
  const { fields } = fieldProblemsOf('invalid' in parsed ? parsed.invalid : '')
  expect(fields['name']).toContain('lower-case letters')
  expect(fields['config']).toBe('must be an object')
})

test('several fields, and what belongs to none', () => {
  const detail = 'config.owner: must be text\nconfig.port: must be at least 1\nbody: this is no JSON'
  expect(fieldProblemsOf(detail)).toEqual({
    fields: { owner: 'must be text', port: 'must be at least 1' },
    rest: ['this is no JSON'],
  })
})

test('an ordinary sentence names no field', () => {
  expect(fieldProblemsOf('The name github is in use')).toEqual({ fields: {}, rest: [] })
})
