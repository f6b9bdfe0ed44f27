import { Tool } from '@agentopia/api'
import { expect, test } from 'vitest'
import { CURATED } from './curated.ts'
import { parseConfigValues, type Recipe, renderSpec, toolOf } from './recipe.ts'

const recipe: Recipe = {
  id: 'notes',
  title: 'Notes',
  summary: 'Keeps notes.',
  publisher: 'Example',
  icon: 'note',
  categories: [],
  spec: {
    package: { type: 'npm', name: 'notes', version: '1.0.0' },
    transport: { type: 'stdio' },
    args: ['serve'],
    env: { MODE: 'plain' },
  },
  config: [
    { key: 'folder', title: 'Folder', type: 'string', required: true, target: { argument: true } },
    { key: 'depth', title: 'Depth', type: 'integer', required: false, default: 3, target: { env: 'DEPTH' } },
  ],
}

test('puts each value where its field says, after what the recipe fixes', () => {
  const spec = renderSpec(recipe, parseConfigValues(recipe.config, { folder: '/notes' }))
  expect(spec.args).toEqual(['serve', '/notes'])
  expect(spec.env).toEqual({ MODE: 'plain', DEPTH: '3' })
})

test.each([
  ['a missing field', {}, /folder/],
  ['a wrong type', { folder: '/n', depth: 'deep' }, /depth/],
  ['a field the tool does not have', { folder: '/n', privileged: true }, /privileged/],
])('refuses %s by name', (_, values, message) => {
  expect(() => parseConfigValues(recipe.config, values as never)).toThrow(message)
})

test.each(CURATED.map((entry) => [entry.id, entry] as const))(
  'the curated entry %s is a valid catalogue entry and renders with its defaults',
  (_, entry) => {
    expect(Tool.parse(toolOf(entry)).id).toBe(entry.id)
    expect(renderSpec(entry, parseConfigValues(entry.config, {})).package).toMatchObject({ type: 'npm' })
  },
)
