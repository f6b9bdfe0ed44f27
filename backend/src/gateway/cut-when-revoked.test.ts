import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { cutWhenRevoked } from './cut-when-revoked.ts'

let answers: (boolean | Error)[] = []
let asked = 0
const server = createServer((_, response) => {
  response.writeHead(200).write('open')
  cutWhenRevoked(
    response,
    async () => {
      asked += 1
      const answer = answers.shift() ?? true
      if (answer instanceof Error) throw answer
      return answer
    },
    5,
  )
})
afterAll(() => server.close())

test('a stream lives as long as its caller is let in, also while nobody can tell, and not longer', async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  answers = [true, new Error('no database'), true, false]
  await expect((await fetch(url)).text()).rejects.toThrow()
  expect(answers).toEqual([])
  expect(asked).toBe(4)
})
