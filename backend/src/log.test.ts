import { expect, test, vi } from 'vitest'
import { createLog } from './log.ts'

function written(act: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(String(text))
    return true
  })
  act(createLog({ level: 'info', plain: true }))
  spy.mockRestore()
  return lines.join('')
}

/** The same for programs. */
function asJson(act: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  act(createLog({ level: 'info', to: { write: (line) => lines.push(line) } }))
  return lines.join('')
}

test('at a terminal a line is the time, the level, what happened and the facts', () => {
  expect(written((log) => log.info({ toolboxId: 'toolbox_1', ms: 3 }, 'toolbox ready'))).toMatch(
    /^\d\d:\d\d:\d\d info {2}toolbox ready toolboxId="toolbox_1" ms=3\n$/,
  )
})

test('a failed statement is logged without its parameters', () => {
  const error = Object.assign(
    new Error('Failed query: insert … params: top-secret', { cause: new Error('disk full') }),
    {
      query: 'insert …',
      params: ['top-secret'],
    },
  )
  for (const err of [error, new Error('the session could not be looked up', { cause: error })]) {
    const text = written((log) => log.error({ err }, 'request failed')) + asJson((log) => log.error({ err }, 'failed'))
    expect(text).toContain('disk full')
    expect(text).not.toContain('top-secret')
  }
  const bare = Object.assign(new Error('Failed query: params: top-secret'), { query: '', params: ['top-secret'] })
  expect(asJson((log) => log.error({ err: bare }, 'failed'))).not.toContain('top-secret')
})

test('an error is logged with what it came from, and the code of the first that says anything', () => {
  const cause = Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' })
  const line = JSON.parse(asJson((log) => log.warn({ err: new TypeError('no answer', { cause }) }, 'x')))
  expect(line.err).toMatchObject({ type: 'TypeError', message: 'no answer: nobody listens' })
  expect(line.err.stack).toMatch(/^TypeError: no answer\n[\s\S]*\ncaused by: Error: nobody listens\n/)
  expect(JSON.parse(asJson((log) => log.warn({ err: cause }, 'x'))).err.code).toBe('ECONNREFUSED')
})

test('what is secret by its name is not logged', () => {
  const text = written((log) =>
    log.info({ call: { token: 'top-secret', password: 'top-secret' }, token: 'top-secret' }, 'x'),
  )
  expect(text).not.toContain('top-secret')
})
