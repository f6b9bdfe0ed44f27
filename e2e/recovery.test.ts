import { mkdtempSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createToolbox, getInfo } from '@agentopia/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSignInLink, openBrowser, signIn } from './browser.ts'
import { type Product, runProgram, startProduct } from './product.ts'
import { until } from './settled.ts'

// A data directory is restored from a copy, and somebody starts the control plane on it.

let original: Product
let restored: Product

beforeAll(async () => {
  original = await startProduct({ LOCAL_TOOLBOX: 'off' })
  await original.client.call(createToolbox, { body: { provider: 'ssh', name: 'alpha', host: '203.0.113.9' } })
  await original.stop()
  const copy = mkdtempSync(join(tmpdir(), 'agentopia-e2e-'))
  await cp(original.dataDir, copy, { recursive: true, preserveTimestamps: true })
  restored = await startProduct({ LOCAL_TOOLBOX: 'off', DATA_DIR: copy })
})
afterAll(async () => {
  for (const product of [restored, original]) await product?.[Symbol.asyncDispose]()
})

const recovering = async ({ client }: Product) => (await client.call(getInfo, {})).recoveringSince
const command = (name: string) => runProgram([name], { DATA_DIR: restored.dataDir })

test('R07 the page and the command say that nothing is carried out, and what would be', async () => {
  expect(await recovering(restored)).toBeDefined()
  await using browsing = await openBrowser(restored.url)
  await signIn(browsing.page, await newSignInLink(restored))
  await browsing.page.getByRole('status').getByText('The database was restored from a copy').waitFor()
  const { code, stdout } = await command('recovery')
  expect(code).toBe(0)
  expect(stdout).toContain('Restored from a copy')
  expect(stdout).toContain('alpha')
})

test('R07 ended by command, it acts again, also after another start', async () => {
  expect((await command('end-recovery')).stdout).toContain('The recovery is ended')
  await until(
    'the recovery is over',
    async () => ({ since: await recovering(restored) }),
    ({ since }) => since === undefined,
    15_000,
  )
  expect((await command('recovery')).stdout).toContain('No recovery is under way')
  await restored.stop()
  await restored.start()
  expect(await recovering(restored)).toBeUndefined()
})

test('R07 where it was always, it is no copy', async () => {
  await original.start()
  expect(await recovering(original)).toBeUndefined()
})
