// Pictures of the running page for the documents: docs/images/*.png. Starts a product of its own, unless AGENTOPIA_URL,
// AGENTOPIA_TOKEN (role operator or above) and AGENTOPIA_SIGN_IN_LINK name one that runs. With names, only those pictures.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions } from 'playwright-core'
import { newSignInLink, openBrowser, signIn } from './browser.ts'
import { startProduct, tokenOf } from './product.ts'
import { type Pictured, revokePicturedToken, setUp } from './screenshots/set-up.ts'
import { setUpAsking } from './screenshots/set-up-asking.ts'
import { SHOTS, SHOTS_OF_ASKING, type Shot } from './screenshots/shots.ts'
import { startWithTurncoat } from './turncoat/turncoat-product.ts'

const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url))

/** What a picture may weigh, in bytes. Sharper ones that weigh more are taken again at one pixel per pixel. */
const MOST = 250_000

const DESKTOP = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } satisfies BrowserContextOptions

/** The product to picture; closing ends it when it is our own. */
async function productToPicture() {
  const { AGENTOPIA_URL: url, AGENTOPIA_TOKEN: given, AGENTOPIA_SIGN_IN_LINK: link } = process.env
  if (url && given && link) return { url, token: given, link, [Symbol.asyncDispose]: async () => {} }
  if (url) throw new Error('AGENTOPIA_URL needs AGENTOPIA_TOKEN and AGENTOPIA_SIGN_IN_LINK beside it')
  const product = await startProduct()
  const token = await tokenOf(product.url, await newSignInLink(product), { name: 'laptop', role: 'operator' })
  return {
    url: product.url,
    token,
    link: await newSignInLink(product),
    [Symbol.asyncDispose]: () => product[Symbol.asyncDispose](),
  }
}

mkdirSync(FOLDER, { recursive: true })
if (SHOTS.some(isWanted)) await pictureEverything()
if (SHOTS_OF_ASKING.some(isWanted) && !process.env['AGENTOPIA_URL']) await pictureAsking()

async function pictureEverything(): Promise<void> {
  await using product = await productToPicture()
  console.log('Setting up tools, agents and calls')
  const pictured = await setUp(product)
  await takeAll(SHOTS, product, pictured)
  await revokePicturedToken(product, pictured)
}

/** Needs a tool that changes while it runs, and so a product of its own. */
async function pictureAsking(): Promise<void> {
  await using product = await startWithTurncoat()
  console.log('Setting up a tool that changes, and calls that wait')
  await using asking = await setUpAsking(product)
  await takeAll(SHOTS_OF_ASKING, { url: product.url, link: await newSignInLink(product) }, asking)
}

function isWanted({ name }: Shot): boolean {
  const wanted = process.argv.slice(2)
  return wanted.length === 0 || wanted.includes(name)
}

async function takeAll(shots: readonly Shot[], { url, link }: { url: string; link: string }, things: Pictured) {
  // One session for all pictures: the link works once.
  await using entrance = await openBrowser(url)
  await signIn(entrance.page, link)
  const storageState = await entrance.page.context().storageState()
  for (const shot of shots.filter(isWanted)) await take(shot, url, storageState, things)
}

async function take(
  { name, path, options = {}, prepare, signedOut }: Shot,
  url: string,
  storageState: NonNullable<BrowserContextOptions['storageState']>,
  things: Pictured,
): Promise<void> {
  await using browsing = await openBrowser(url, {
    deviceScaleFactor: 2,
    ...DESKTOP,
    ...options,
    ...(signedOut ? {} : { storageState }),
  })
  const { page } = browsing
  await page.goto(path(things))
  await page.getByRole('heading', { level: 1 }).waitFor()
  await prepare?.(page, things)
  if (!signedOut)
    await page.locator('[role=status]').getByText('Live', { exact: true }).filter({ visible: true }).first().waitFor()
  // Until what the last change of the document brought has been painted.
  await page.evaluate(
    'document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))',
  )
  let picture = await page.screenshot({ scale: 'device' })
  if (picture.length > MOST) picture = await page.screenshot({ scale: 'css' })
  if (picture.length > MOST) throw new Error(`${name}.png has ${picture.length} bytes, more than ${MOST}`)
  writeFileSync(`${FOLDER}${name}.png`, picture)
  console.log(`docs/images/${name}.png ${Math.round(picture.length / 1_000)} kB`)
}
