import { ProblemError, problem } from '@agentopia/api'
import { expect, test } from 'vitest'
import { crashOf } from './page-failure.ts'
import { problemText, problemViewOf } from './problem-view.ts'
import { overNetwork } from './unreachable.ts'

test('a problem document is shown whole, with the id of its occurrence', () => {
  const document = problem('name-taken', 'github is in use').toDocument('req-1')
  expect(problemViewOf(ProblemError.fromDocument(document))).toEqual({
    title: 'The name is in use',
    detail: 'github is in use',
    fix: 'Choose another name.',
    code: 'name-taken',
    instance: 'req-1',
    retryable: false,
    offline: false,
  })
})

test('no connection and no answer are told as such, without an id that nobody could look up', async () => {
  const failed = await overNetwork(() => Promise.reject(new TypeError('Failed to fetch'))).catch((error) => error)
  expect(problemViewOf(failed)).toMatchObject({ code: 'offline', offline: true })
  const timeout = new DOMException('signal timed out', 'TimeoutError')
  expect(problemViewOf(timeout)).toMatchObject({ code: 'no-answer', offline: true })
  expect(problemViewOf(timeout)).not.toHaveProperty('instance')
})

test('a bug that ends the drawing of a page is not told as an absent control plane; a part of it that cannot be fetched is', () => {
  expect(problemViewOf(crashOf(new TypeError('l is not a function')))).toMatchObject({
    code: 'page-failed',
    detail: 'l is not a function',
    offline: false,
  })
  for (const said of [
    'Failed to fetch dynamically imported module: https://toolboxes.example/assets/palette.js',
    'error loading dynamically imported module: https://toolboxes.example/assets/palette.js',
    'Importing a module script failed.',
  ])
    expect(problemViewOf(crashOf(new TypeError(said)))).toMatchObject({ code: 'offline', offline: true })
  const refused = ProblemError.fromDocument(problem('name-taken', 'github is in use').toDocument('req-1'))
  expect(crashOf(refused)).toBe(refused)
})

test('a proxy that answers for an absent control plane counts as no connection', () => {
  const kind = { status: 503, title: 'The answer is not one of ours', retryable: true, fix: 'Check the address.' }
  expect(problemViewOf(new ProblemError('no-problem-document', kind, 'x')).offline).toBe(true)
})

test('a bug of the page in the middle of an action is no absent control plane, and an interrupted wait is none either', async () => {
  const bug = new TypeError("Cannot read properties of undefined (reading 'id')")
  expect(problemViewOf(bug)).toMatchObject({ code: 'page-failed', offline: false })
  const left = new DOMException('', 'AbortError')
  await expect(overNetwork(() => Promise.reject(left))).rejects.toBe(left)
})

test('what is no problem at all still gets a title and a way out', () => {
  expect(problemViewOf(new Error('boom\nat line 1'))).toMatchObject({ code: 'unexpected-answer', detail: 'boom' })
  expect(problemViewOf('odd')).toMatchObject({ detail: 'An unknown failure.' })
})

test('the text for a report holds title, detail, fix, code and id', () => {
  const view = problemViewOf(ProblemError.fromDocument(problem('internal', 'it broke').toDocument('req-2')))
  expect(problemText(view).split('\n')).toEqual([
    'Unexpected failure',
    'it broke',
    'Look up the instance id in the log of the control plane.',
    'code: internal',
    'instance: req-2',
  ])
})

test('an address that names what cannot exist is told as such, not as a breach of contract', () => {
  const wrong = problem('invalid-request', 'params.toolboxId: an id that begins with toolbox_')
  expect(problemViewOf(ProblemError.fromDocument(wrong.toDocument('req-2')))).toMatchObject({
    title: 'There is no such thing',
    code: 'not-found',
    retryable: false,
  })
})

test('refused input names the fields in the words of people', () => {
  const wrong = problem(
    'invalid-request',
    'body.email: must be an e-mail address\nbody.password: must be at least 12 characters long',
  )
  expect(problemViewOf(ProblemError.fromDocument(wrong.toDocument('req-3')))).toMatchObject({
    title: 'The input was not accepted',
    detail: 'email: must be an e-mail address; password: must be at least 12 characters long',
    instance: 'req-3',
  })
})
