import { ToolboxStatus } from '@agentopia/api'
import { getTableConfig, PgDialect } from 'drizzle-orm/pg-core'
import { expect, test } from 'vitest'
import { toolboxes } from '../store/schema/index.ts'
import { mayBecome, sourcesOf, TRANSITIONS } from './toolbox.transitions.ts'

const states = [...ToolboxStatus.options].sort()

test('the table of transitions knows every status of the API, and no other', () => {
  expect(Object.keys(TRANSITIONS).sort()).toEqual(states)
})

test('the check constraint of the database lists the same states', () => {
  const constraint = getTableConfig(toolboxes).checks.find(({ name }) => name === 'toolbox_status')
  const text = new PgDialect().sqlToQuery(constraint!.value).sql
  expect([...text.matchAll(/'([a-z_]+)'/g)].map(([, state]) => state).sort()).toEqual(states)
})

test('every status but the last has a way out, and every one but the first a way in', () => {
  expect(states.filter((state) => TRANSITIONS[state].length === 0)).toEqual(['deprovisioned'])
  expect(states.filter((state) => sourcesOf(state).length === 0)).toEqual(['pending_provision'])
})

test('every status of a living toolbox can be left for deprovisioning', () => {
  const ending = ['pending_deprovision', 'deprovisioning', 'error_deprovisioning', 'deprovisioned']
  for (const state of states.filter((s) => !ending.includes(s)))
    expect(mayBecome(state, 'pending_deprovision')).toBe(true)
})

test('nothing comes back from deprovisioning', () => {
  expect(sourcesOf('active').sort()).toEqual([
    'awaiting_heartbeat',
    'error_provisioning',
    'lost',
    'resizing',
    'unresponsive',
  ])
})
