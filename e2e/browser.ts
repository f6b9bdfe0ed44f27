import assert from 'node:assert/strict'
import axe from 'axe-core'
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type Product, runProgram } from './product.ts'

/** A real Chromium with one page, at the address of the product. */
export interface Browsing extends AsyncDisposable {
  readonly page: Page
  /** Everything that the browser's console complained of: errors, warnings, exceptions, content that the policy refuses. */
  readonly complaints: readonly string[]
}

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** Containers come and go on this machine: Chromium drops what is under way when a network interface does. */
const NOT_OURS = /ERR_NETWORK_CHANGED/

/** The page asks again by itself; who goes to it, or loads it again, does so here. */
async function loaded<Answer>(load: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await load()
    } catch (error) {
      if (tries === 3 || !(error instanceof Error) || !NOT_OURS.test(error.message)) throw error
    }
  }
}

/** For what is seen to come at once on a machine with nothing else to do. */
const WAIT_MS = 60_000

/** Without animations, so that what is looked at stands still. */
export async function openBrowser(url: string, options: BrowserContextOptions = {}): Promise<Browsing> {
  // Chromium's own sandbox does not start for root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ executablePath: CHROMIUM, args })
  const context = await browser.newContext({
    baseURL: url,
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 860 },
    ...options,
  })
  context.setDefaultTimeout(WAIT_MS)
  const page = await context.newPage()
  const [goto, reload] = [page.goto.bind(page), page.reload.bind(page)]
  page.goto = (...asked) => loaded(() => goto(...asked))
  page.reload = (...asked) => loaded(() => reload(...asked))
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    const text = `${message.type()}: ${message.text()} ${message.location().url}`
    if (['error', 'warning'].includes(message.type()) && !NOT_OURS.test(text)) complaints.push(text)
  })
  return { page, complaints, [Symbol.asyncDispose]: () => browser.close() }
}

/** A new one-time link, as `npm run sign-in-link` prints it. */
export async function newSignInLink({ dataDir }: Product): Promise<string> {
  const { code, stdout, stderr } = await runProgram(['sign-in-link'], { DATA_DIR: dataDir })
  assert.equal(code, 0, stderr)
  return stdout.trim()
}

/** Waits until everything that the page has asked for is there. */
export async function allRead(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
}

/** Signs in by the link, and waits for the overview. */
export async function signIn(page: Page, link: string): Promise<void> {
  await page.goto(link)
  await page.getByRole('navigation', { name: 'Pages' }).first().waitFor()
}

const RUN_AXE = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, impact, nodes }) => id + ' (' + impact + '): ' + nodes.map(({ target }) => target).join(', ')))`

/** What axe finds wrong for people who do not see, or do not see well, on what is shown now. */
export async function barriersOn(page: Page): Promise<string[]> {
  await page.evaluate(`${axe.source}; 0`)
  return page.evaluate<string[]>(RUN_AXE)
}

/** By how many pixels the page is wider than the screen. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')
