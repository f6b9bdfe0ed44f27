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
  const text = written((log) => log.error({ err: error }, 'request failed'))
  expect(text).toContain('disk full')
  expect(text).not.toContain('top-secret')
})

test('what is secret by its name is not logged', () => {
  const text = written((log) => log.info({ call: { token: 'top-secret', password: 'top-secret' } }, 'x'))
  expect(text).not.toContain('top-secret')
})
