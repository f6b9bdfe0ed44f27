import type { Call, CallFilter } from '@agentopia/api'
import type { Store } from '../store/connect.ts'
import { type CallPosition, scanCallRecords } from './call.store.ts'

const PAGE = 500

/** All calls that fit, oldest first; as many in memory as one page holds. Stops when nobody reads any more. */
export async function* scanCalls(
  store: Pick<Store, 'tenant'>,
  accountId: string,
  filter: CallFilter,
  signal: AbortSignal,
): AsyncGenerator<readonly Call[]> {
  let after: CallPosition | undefined
  while (!signal.aborted) {
    const page = await store.tenant(accountId, (tx) => scanCallRecords(tx, filter, { after, limit: PAGE }))
    if (page.length > 0) yield page
    after = page.at(-1)
    if (page.length < PAGE) return
  }
}

/** One JSON document a line. */
export async function* asNdjson(pages: AsyncIterable<readonly Call[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map((call) => `${JSON.stringify(call)}\n`).join('')
}

const COLUMNS = [
  'startedAt',
  'id',
  'agentId',
  'agentName',
  'instanceId',
  'instanceName',
  'capability',
  'via',
  'outcome',
  'code',
  'decidedBy',
  'durationMs',
  'argumentDigest',
  'argumentBytes',
  'resultDigest',
  'resultBytes',
  'instanceGeneration',
  'specDigest',
  'capabilityDigest',
  'sequence',
  'previousHash',
  'hash',
] as const satisfies readonly (keyof Call)[]

/** RFC 4180, with a heading. */
export async function* asCsv(pages: AsyncIterable<readonly Call[]>): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\r\n`
  for await (const page of pages)
    yield page.map((call) => `${COLUMNS.map((column) => cell(call[column])).join(',')}\r\n`).join('')
}

/** What a spreadsheet would take for a formula is made a text by an apostrophe before it. */
function cell(value: string | number | undefined): string {
  if (typeof value !== 'string') return String(value ?? '')
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
