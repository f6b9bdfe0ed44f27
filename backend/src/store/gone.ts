import { type ProblemCode, type ProblemError, problem } from '@agentopia/api'
import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { missingReferenceOf } from './database-error.ts'
import * as schema from './schema/index.ts'

// Whoever writes a row has read what the row refers to, and mostly does not hold it. When that goes in between, the database
// refuses the row, and people are told what they would have been told a moment later.

/** What people know the rows of a table as. */
const MISSING = new Map<PgTable, ProblemCode>([
  [schema.agents, 'agent-not-found'],
  [schema.toolbeltItems, 'toolbelt-item-not-found'],
  [schema.instances, 'instance-not-found'],
  [schema.groups, 'group-not-found'],
  [schema.toolboxes, 'toolbox-not-found'],
])

/** PostgreSQL cuts longer names. */
const MOST_OF_NAME = 63

/** What is missing, by the constraint that says so. */
const MISSING_BY_CONSTRAINT: ReadonlyMap<string, ProblemCode> = new Map(
  Object.values(schema)
    .filter((table) => is(table, PgTable))
    .flatMap((table) => getTableConfig(table).foreignKeys)
    .flatMap((key) => {
      const code = MISSING.get(key.reference().foreignTable)
      return code === undefined ? [] : [[key.getName().slice(0, MOST_OF_NAME), code] as const]
    }),
)

/** The problem that an error of the database stands for when a row referred to one that has gone. */
export function problemOfGone(error: unknown): ProblemError | undefined {
  const code = MISSING_BY_CONSTRAINT.get(missingReferenceOf(error) ?? '')
  return code && problem(code, 'It has gone meanwhile; nothing was changed', { cause: error })
}
