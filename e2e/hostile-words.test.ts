import { fileURLToPath } from 'node:url'
import { openControlPlaneSaying } from '@agentopia/backend/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { allRead, openBrowser, signIn } from './browser.ts'

const PAGE = fileURLToPath(new URL('../dist/page', import.meta.url))

/** What a hostile server calls itself and everything that it has. */
const WORDS = [
  'evil',
  '<img src=x onerror="window.hacked=1">',
  '<script>window.hacked=2</script>',
  '"><svg onload=window.hacked=3>',
  "'-window.hacked=4-'",
  '[x](javascript:window.hacked=5)',
  '\u001b]8;;javascript:window.hacked=6\u0007link\u001b]8;;\u0007\u001b[31m',
].join(' ')

let plane: Awaited<ReturnType<typeof openControlPlaneSaying>>
beforeAll(async () => {
  plane = await openControlPlaneSaying(WORDS, PAGE)
})
afterAll(() => plane?.close())

it('T08 what tools, clients and calls say of themselves is shown as text, and does nothing', async () => {
  await using browsing = await openBrowser(plane.origin)
  const { page, complaints } = browsing
  await signIn(page, plane.signInLink)
  const { toolboxId, instanceId, agentId } = plane.ids
  const shown: string[] = []
  for (const path of [
    '/',
    `/toolboxes/${toolboxId}`,
    `/toolboxes/${toolboxId}/activity`,
    `/toolboxes/${toolboxId}/tools/${instanceId}`,
    `/toolboxes/${toolboxId}/tools/${instanceId}/capabilities`,
    '/agents',
    `/agents/${agentId}`,
    `/agents/${agentId}/calls`,
    `/agents/${agentId}/connect`,
    '/calls',
    '/settings',
  ]) {
    await page.goto(path)
    await allRead(page)
    if ((await page.locator('body').innerText()).includes('<img src=x')) shown.push(path)
    const grown = await page.evaluate<number>(
      'document.querySelectorAll("img[src=x], svg[onload], a[href^=javascript], main script, [onerror]").length',
    )
    expect([path, grown, await page.evaluate('window.hacked')]).toEqual([path, 0, undefined])
  }
  expect(shown).toEqual(expect.arrayContaining(['/calls', `/agents/${agentId}`]))
  expect(complaints.filter((complaint) => /Content Security Policy|hacked|Error/.test(complaint))).toEqual([])
})
