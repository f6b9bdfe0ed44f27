import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockState, StateInUse } from './state-lock.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-lock-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('a directory is held once, and free again after that', async () => {
  const lock = await lockState(directory)
  await expect(lockState(directory)).rejects.toThrow(StateInUse)
  lock.release()
  ;(await lockState(directory)).release()
})

test('a process that was killed holds nothing', async () => {
  const code = `require('node:net').createServer().listen(${JSON.stringify(join(directory, 'lock'))}, () => console.log('held'))`
  const child = spawn(process.execPath, ['-e', code])
  await once(child.stdout, 'data')
  await expect(lockState(directory)).rejects.toThrow('stop it, or set DTMA_STATE_DIR')
  child.kill('SIGKILL')
  await once(child, 'exit')
  ;(await lockState(directory)).release()
})
