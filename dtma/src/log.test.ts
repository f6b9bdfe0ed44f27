import { expect, test } from 'vitest'
import { createLog, type LogLevel } from './log.ts'

function logged(level: LogLevel = 'info') {
  const written: string[] = []
  const log = createLog({ level, write: (line) => written.push(line), date: () => new Date(0) })
  return { log, written }
}

test('a line is one JSON object, with its time and its fields', () => {
  const { log, written } = logged()
  log.info('hello', { tool: 'mail', count: 1, message: 'not this one' })
  expect(JSON.parse(written[0]!)).toEqual({
    time: '1970-01-01T00:00:00.000Z',
    level: 'info',
    message: 'hello',
    tool: 'mail',
    count: 1,
  })
})

test('a secret appears nowhere: not in messages, fields, errors or their causes', () => {
  const { log, written } = logged()
  log.redact('hunter2-hunter2')
  log.redact('with "quotes" in it')
  log.error('failed for hunter2-hunter2', {
    header: 'Bearer hunter2-hunter2',
    error: new Error('401 for hunter2-hunter2', { cause: new Error('hunter2-hunter2') }),
    quoted: 'x with "quotes" in it',
  })
  expect(written.join() + log.lines().join()).not.toMatch(/hunter2|quotes/)
  expect(JSON.parse(written[0]!)).toMatchObject({ header: 'Bearer ***' })
})

test('lines below the level are dropped, and only the last thousand are kept', () => {
  const { log, written } = logged('warn')
  log.info('quiet')
  for (let line = 0; line < 1_200; line++) log.warn(`line ${line}`)
  expect(written).toHaveLength(1_200)
  expect(log.lines()).toHaveLength(1_000)
  expect(log.lines()[0]).toContain('line 200')
})

test('a line that is much too long is cut, and still JSON', () => {
  const { log, written } = logged()
  log.info('long', { text: 'x'.repeat(100_000) })
  expect(written[0]!.length).toBeLessThan(20_000)
  expect(JSON.parse(written[0]!)).toMatchObject({ message: 'long' })
})
