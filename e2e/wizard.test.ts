import { getToolbox, setProviderToken } from '@agentopia/api'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { barriersOn, newSignInLink, openBrowser, overflowOf, signIn } from './browser.ts'
import { startWithCloud } from './cloud.ts'
import { waitFor } from './product.ts'

const ACTIVE_MS = 300_000
const DONE_MS = 240_000
const GONE_MS = 120_000

/** A folder of pictures to look at; absent: none are taken. */
const PICTURES = process.env['PICTURES']

const button = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name, exact: typeof name === 'string' })

async function choose(page: Page, field: string, option: RegExp): Promise<void> {
  await page.getByRole('dialog').getByRole('combobox', { name: field }).click()
  await page.getByRole('option', { name: option }).click()
  await listsClosed(page)
}

/** A list that is just opening or closing is in nobody's way: who looks for barriers waits until it is gone. */
const listsClosed = (page: Page) =>
  page.getByRole('listbox').or(page.getByRole('menu')).first().waitFor({ state: 'detached' })

it('a droplet is made, restarted, resized and destroyed in Chromium, each with its price and its progress', async () => {
  await using both = await startWithCloud()
  const { product, cloud } = both
  const { world } = cloud.emulator
  await product.client.call(setProviderToken, { body: { token: world.token } })
  await using browsing = await openBrowser(product.url)
  const { page, complaints } = browsing
  const barriers: string[] = []
  const look = async (place: string) => {
    await listsClosed(page)
    barriers.push(...(await barriersOn(page)).map((barrier) => `${place}: ${barrier}`))
    if ((await overflowOf(page)) > 0) barriers.push(`${place}: is wider than the screen`)
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/${place.replaceAll(' ', '-')}.png` })
  }
  await signIn(page, await newSignInLink(product))

  await button(page, 'Add a toolbox').first().click()
  await choose(page, 'What it is', /A new droplet/)
  await button(page, 'Create').click()
  await page.getByText('Choose one').first().waitFor()
  // Sizes and images are those of a region: they are not asked for before it.
  expect(await page.getByText('Choose one').count()).toBe(1)
  expect(await page.getByText('Choose a region first').count()).toBe(2)
  await look('what is missing')
  await page.getByLabel('Name').fill('alpha')
  await choose(page, 'Region', /Frankfurt 1/)
  await page.getByRole('dialog').getByRole('combobox', { name: 'Size' }).click()
  // Who only hears the list knows the price before choosing, too.
  await page.getByRole('option', { name: '1 GB, 1 CPU, 25 GB disk $6 a month', exact: true }).click()
  await page.getByText('$6 a month, also while it is off.').waitFor()
  await choose(page, 'Image', /Docker on Ubuntu/)
  await look('wizard')
  expect(world.droplets.size).toBe(0) // nothing was made before it was asked for
  await button(page, 'Create for $6 a month').click()

  await page.getByRole('heading', { level: 1, name: /^alpha/ }).waitFor()
  const toolboxId = new URL(page.url()).pathname.split('/')[2]!
  const stages = page.getByRole('list', { name: 'Stages of the installation' })
  await stages.waitFor({ timeout: ACTIVE_MS })
  await look('stages')
  await page.getByRole('heading', { level: 1, name: /^alpha active/ }).waitFor({ timeout: ACTIVE_MS })
  for (const stage of ['Docker', 'Image of DTMA', 'DTMA started', 'Enrolled'])
    await stages.getByText(stage, { exact: true }).waitFor()
  const { dropletId } = await product.client.call(getToolbox, { params: { toolboxId } })
  expect(
    [...world.droplets.values()].map(({ id, name, region, size, image }) => [id, name, region, size, image]),
  ).toEqual([[dropletId, expect.stringContaining('alpha'), 'fra1', 's-1vcpu-1gb', 'docker-20-04']])
  await page.getByText(String(dropletId)).first().waitFor()
  await look('active')

  /** What was asked of the droplet last, and how far it is. */
  const progress = (said: RegExp) =>
    page
      .locator('[aria-live=polite]')
      .filter({ hasText: 'asked for by' })
      .filter({ hasText: said })
      .waitFor({ timeout: DONE_MS })
  const menu = async (item: string | RegExp) => {
    await button(page, 'Droplet').and(page.locator(':enabled')).click()
    await page.getByRole('menuitem', { name: item }).click()
  }

  await menu('Reboot')
  await page.getByRole('dialog').getByText('alpha restarts in order').waitFor()
  await look('reboot')
  await button(page, 'Reboot').click()
  await progress(/reboot.*is done/i)

  await menu(/^Resize/)
  await choose(page, 'Size', /^2 GB, 1 CPU \$12 a month$/)
  await page.getByText('$12 a month instead of $6.').waitFor()
  await look('resize')
  await button(page, 'Resize for $12 a month').click()
  await progress(/resize.*(?:is under way|is asked for)/)
  await look('resizing')
  await progress(/resize to s-1vcpu-2gb.*is done/)
  await page.getByText('s-1vcpu-2gb', { exact: true }).waitFor()
  await page.getByText('$12 a month, also while it is off').waitFor()
  expect(world.droplets.get(dropletId!)?.size).toBe('s-1vcpu-2gb')
  await look('resized')

  await button(page, 'Remove').click()
  const remove = page.getByRole('dialog', { name: 'Remove alpha' })
  await remove.getByText('Its droplet is destroyed with everything on it').waitFor()
  await remove.getByLabel(/to confirm/).fill('beta')
  await page.keyboard.press('Enter')
  expect(await remove.getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true)
  await remove.getByLabel(/to confirm/).fill('alpha')
  await look('remove')
  await remove.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('alpha is being removed').waitFor()
  await waitFor('the droplet is left', GONE_MS, () => (world.droplets.size === 0 ? true : undefined))
  await page.getByRole('heading', { level: 1, name: /^alpha deprovisioned/ }).waitFor()
  await look('removed')

  // The machines reach the page at an address of this network, by http: Chromium says that it heeds this header over https alone.
  expect(complaints.filter((complaint) => !complaint.includes('Cross-Origin-Opener-Policy'))).toEqual([])
  expect(barriers).toEqual([])
})
