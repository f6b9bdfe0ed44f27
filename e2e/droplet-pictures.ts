// Pictures for the documents of what the page says when something happens to a droplet: docs/images/droplet-*.png. An emulated
// DigitalOcean with real machines; it takes about twenty minutes, most of which the control plane waits before it is sure.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { newSignInLink, openBrowser, signIn } from './browser.ts'
import { startWithCloud } from './cloud.ts'
import { FATES, meet, openDroplets, untilLost } from './screenshots/droplets.ts'

const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url))

await using both = await startWithCloud()
const { product } = both
const toolboxes = await openDroplets(both)
mkdirSync(FOLDER, { recursive: true })
await using browsing = await openBrowser(product.url, { viewport: { width: 1280, height: 800 }, colorScheme: 'light' })
const { page } = browsing
await signIn(page, await newSignInLink(product))

const healthy = toolboxes.get('moved')!
await open(page, healthy.id)
await page.getByRole('button', { name: 'Droplet', exact: true }).click()
await page.getByRole('menuitem', { name: 'Reboot' }).waitFor()
await take('droplet-menu')
await page.getByRole('menuitem', { name: /^Resize/ }).click()
await page.getByRole('combobox').click()
await page.getByRole('option', { name: /2 GB, 2 CPU/ }).click()
await page.getByRole('button', { name: /Resize for/ }).waitFor()
await take('droplet-resize')
await page.keyboard.press('Escape')
await page.getByRole('button', { name: 'Change road' }).click()
await page.getByRole('button', { name: 'Change to the direct road' }).waitFor()
await take('droplet-road')
await page.keyboard.press('Escape')

for (const fate of FATES) {
  const toolbox = toolboxes.get(fate)!
  await meet(fate, toolbox, both)
  await open(page, toolbox.id)
  await page.getByRole('button', { name: 'Refresh status' }).click()
  await page
    .locator('#observation')
    .getByText(/looked (now|just now|\d s ago)/)
    .waitFor()
  await page.getByRole('button', { name: 'Refresh status' }).and(page.locator(':enabled')).waitFor()
  await take(`droplet-${fate}`)
}
await open(page, toolboxes.get('moved')!.id, 'activity')
await page.getByText('The address of').first().waitFor()
await take('droplet-moved-activity')
await untilLost(both, toolboxes.get('destroyed')!)
await open(page, toolboxes.get('destroyed')!.id)
await page.getByRole('button', { name: 'Create again' }).waitFor()
await page.getByRole('button', { name: 'Refresh status' }).click()
await page
  .locator('#observation')
  .getByText(/looked (now|just now|\d s ago)/)
  .waitFor()
await take('droplet-lost')
await page.goto('/')
await page.getByRole('heading', { level: 1, name: /need a look/ }).waitFor()
await take('droplet-fleet')

async function open(on: Page, toolboxId: string, tab = ''): Promise<void> {
  await on.goto(`/toolboxes/${toolboxId}${tab && `/${tab}`}`)
  await on.getByRole('heading', { level: 1 }).waitFor()
}

async function take(name: string): Promise<void> {
  await page.evaluate('document.fonts.ready')
  const picture = await page.screenshot({ scale: 'css' })
  writeFileSync(`${FOLDER}${name}.png`, picture)
  console.log(`docs/images/${name}.png ${Math.round(picture.length / 1_000)} kB`)
}
