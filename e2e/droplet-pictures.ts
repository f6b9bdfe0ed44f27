// Pictures for the documents of what the page says when something happens to a droplet: docs/images/droplet-*.png. An emulated
// DigitalOcean with real machines; it takes about eleven minutes, most of which the control plane waits before it is sure. With
// names, only those pictures.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { newSignInLink, openBrowser, signIn } from './browser.ts'
import { startWithCloud } from './cloud.ts'
import { FATES, type Fate, meet, openDroplets, untilLost } from './screenshots/droplets.ts'

const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url))

/** The droplet that a picture is of; absent: of all of them. */
const OF: Readonly<Record<string, Fate | undefined>> = {
  'droplet-menu': 'moved',
  'droplet-resize': 'moved',
  'droplet-road': 'moved',
  ...Object.fromEntries(FATES.map((fate) => [`droplet-${fate}`, fate])),
  'droplet-moved-activity': 'moved',
  'droplet-lost': 'destroyed',
  'droplet-fleet': undefined,
}
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(OF)
for (const name of wanted) if (!(name in OF)) throw new Error(`${name} is none of ${Object.keys(OF).join(', ')}`)
const fates = wanted.includes('droplet-fleet')
  ? FATES
  : FATES.filter((fate) => wanted.some((name) => OF[name] === fate))

await using both = await startWithCloud()
const { product } = both
const toolboxes = await openDroplets(both, fates)
mkdirSync(FOLDER, { recursive: true })
await using browsing = await openBrowser(product.url, { viewport: { width: 1280, height: 800 }, colorScheme: 'light' })
const { page } = browsing
await signIn(page, await newSignInLink(product))

if (fates.includes('moved')) await takeDialogs()
for (const fate of fates) {
  const toolbox = toolboxes.get(fate)!
  await meet(fate, toolbox, both)
  await open(toolbox.id)
  await look()
  await take(`droplet-${fate}`)
}
if (fates.includes('moved')) {
  await open(toolboxes.get('moved')!.id, 'activity')
  await page.getByText('The address of').first().waitFor()
  await take('droplet-moved-activity')
}
if (wanted.includes('droplet-lost') || wanted.includes('droplet-fleet')) {
  await untilLost(both, toolboxes.get('destroyed')!)
  await open(toolboxes.get('destroyed')!.id)
  await page.getByRole('button', { name: 'Create again' }).waitFor()
  await look()
  await take('droplet-lost')
}
if (wanted.includes('droplet-fleet')) {
  await page.goto('/')
  await page.getByRole('heading', { level: 1, name: /need a look/ }).waitFor()
  await take('droplet-fleet')
}

/** What can be done with a droplet to which nothing has happened. */
async function takeDialogs(): Promise<void> {
  await open(toolboxes.get('moved')!.id)
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
}

async function look(): Promise<void> {
  await page.getByRole('button', { name: 'Refresh status' }).click()
  await page
    .locator('#observation')
    .getByText(/looked (now|just now|\d s ago)/)
    .waitFor()
  await page.getByRole('button', { name: 'Refresh status' }).and(page.locator(':enabled')).waitFor()
}

async function open(toolboxId: string, tab = ''): Promise<void> {
  await page.goto(`/toolboxes/${toolboxId}${tab && `/${tab}`}`)
  await page.getByRole('heading', { level: 1 }).waitFor()
}

async function take(name: string): Promise<void> {
  if (!wanted.includes(name)) return
  await page.evaluate('document.fonts.ready')
  const picture = await page.screenshot({ scale: 'css' })
  writeFileSync(`${FOLDER}${name}.png`, picture)
  console.log(`docs/images/${name}.png ${Math.round(picture.length / 1_000)} kB`)
}
