import { listAgents } from '@agentopia/api'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { barriersOn, newSignInLink, openBrowser, overflowOf, signIn } from './browser.ts'
import { type Product, startProduct, waitFor } from './product.ts'

/** The first deployment builds an image from an npm package. */
const DEPLOY_MS = 300_000

let product: Product
beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product?.[Symbol.asyncDispose]())

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const tab = (page: Page, name: string) => page.getByRole('tab', { name })

describe('the page, in Chromium', () => {
  it('leads from the one-time link to a call on record, with nothing to complain of', async () => {
    await using browsing = await openBrowser(product.url)
    const { page, complaints } = browsing
    const barriers: string[] = []
    const scan = async (place: string) =>
      barriers.push(...(await barriersOn(page)).map((barrier) => `${place}: ${barrier}`))

    await signIn(page, await newSignInLink(product))
    expect(new URL(page.url()).hash).toBe('') // the token does not stay in the address
    await page.getByRole('heading', { level: 1, name: 'local is well' }).waitFor({ timeout: 60_000 })
    await scan('overview')

    await page.getByRole('link', { name: 'Catalogue' }).first().click()
    await button(page, 'Deploy Everything').click()
    await page.getByRole('dialog', { name: 'Deploy Everything' }).waitFor()
    await scan('deploy dialog')
    await button(page, 'Deploy').click()
    await page.getByRole('heading', { level: 1, name: /^everything running/ }).waitFor({ timeout: DEPLOY_MS })
    await page.getByText('echo', { exact: true }).first().click()
    await page.getByText('everything__echo').waitFor()
    await scan('tool instance')
    await tab(page, 'Logs').click()
    await page.getByText('Starting default (STDIO) server').waitFor()
    await scan('log')

    await page.getByRole('link', { name: 'Agents' }).first().click()
    await button(page, 'Register an agent').first().click()
    await page.getByLabel('Name').fill('Not A Name')
    await button(page, 'Register').click()
    await page.getByRole('alert').getByText('Lower-case letters').waitFor()
    await page.getByLabel('Name').fill('reader')
    await button(page, 'Register').click()
    await page.getByRole('heading', { level: 1, name: 'reader' }).waitFor()

    await page.getByRole('switch', { name: 'Access to local' }).click()
    await button(page, 'Add a tool').click()
    await page
      .getByRole('radio', { name: /everything/ })
      .first()
      .click()
    await button(page, 'Add').click()
    await page.getByText(/^0 of \d+ capabilities allowed/).waitFor()
    await page.getByRole('checkbox', { name: /^echo/ }).click()
    await page.getByText('to be allowed').waitFor() // a draft is called one
    await scan('toolbelt')
    await button(page, 'Save permissions').click()
    await page.getByText(/^1 of \d+ capabilities allowed/).waitFor()

    await tab(page, 'Connect').click()
    await button(page, 'Create a token').first().click()
    await page.getByLabel('Name').fill('laptop')
    await button(page, 'Create').click()
    await page.getByText(/^agt_/).first().waitFor()
    await scan('new token')
    await button(page, 'I have it').click()
    expect(await page.content()).not.toMatch(/agt_[\w-]{20}/) // the secret is shown once
    await scan('connect')

    await tab(page, 'Try it').click()
    await page.getByLabel('message').fill('hello toolbox')
    await button(page, 'Call').click()
    await page.getByText('Echo: hello toolbox').waitFor()
    await scan('try it')

    await page.getByRole('link', { name: 'Calls' }).first().click()
    const row = page.getByRole('row').filter({ hasText: 'everything__echo' })
    await row.getByText('ok', { exact: true }).waitFor()
    await row.getByRole('link', { name: 'reader' }).waitFor()
    await scan('calls')

    for (const place of ['/', '/catalog', '/agents', '/settings', '/no-such-page']) {
      await page.goto(place)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForLoadState('load')
      await scan(place)
    }
    expect(barriers).toEqual([])
    expect(complaints).toEqual([])
  })

  it('lets nobody in by a link that was used', async () => {
    const link = await newSignInLink(product)
    await using first = await openBrowser(product.url)
    await signIn(first.page, link)
    await using second = await openBrowser(product.url)
    await second.page.goto(link)
    await second.page.getByRole('alert').getByText('sign-in-link-used').waitFor()
    await second.page.goto('/agents')
    await second.page.waitForURL(/\/sign-in\?to=/)
  })

  it('is used by the keyboard alone', async () => {
    await using browsing = await openBrowser(product.url)
    const { page } = browsing
    await signIn(page, await newSignInLink(product))

    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Jump to' }).fill('sett')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()

    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('g')
    await page.keyboard.press('c')
    await page.getByRole('heading', { name: 'Filesystem' }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('memory')
    await page.getByRole('heading', { name: 'Filesystem' }).waitFor({ state: 'detached' })
    await page.getByRole('heading', { name: 'Memory' }).waitFor()
  })

  it.each(['light', 'dark'] as const)('fits a phone and can be read on it, %s', async (colorScheme) => {
    await using browsing = await openBrowser(product.url, { colorScheme, viewport: { width: 390, height: 844 } })
    const { page } = browsing
    await signIn(page, await newSignInLink(product))
    const wrong: string[] = []
    for (const place of ['/', '/catalog', '/catalog?deploy=everything', '/agents', '/calls', '/settings']) {
      await page.goto(place)
      await page.getByRole('heading', { level: 1, includeHidden: true }).waitFor()
      const overflow = await overflowOf(page)
      if (overflow > 0) wrong.push(`${place} is ${overflow} pixels too wide`)
      wrong.push(...(await barriersOn(page)).map((barrier) => `${place}: ${barrier}`))
    }
    expect(wrong).toEqual([])
  })

  it('is loaded again when its program or its looks did not arrive, and says so when that did not help', async () => {
    await using browsing = await openBrowser(product.url)
    const { page } = browsing
    const program = /\/assets\/index-[^/]+\.js$/
    await page.route(program, (route) => route.abort('connectionreset'), { times: 2 })
    await page.route(/\.css$/, (route) => route.abort('connectionreset'), { times: 1 })
    await page.goto('/sign-in')
    await page.getByRole('heading', { name: 'Agentopia Toolboxes' }).waitFor()
    await expect
      .poll(() => page.evaluate('document.styleSheets.length > 0 && getComputedStyle(document.body).margin'))
      .toBe('0px')

    await page.evaluate('sessionStorage.clear()')
    await page.route(program, (route) => route.abort('connectionreset'))
    await page.goto('/sign-in')
    await page.getByText('The page did not arrive whole.').waitFor()
  })

  it('sends what was asked for again when the connection broke, and it is done once', async () => {
    await using browsing = await openBrowser(product.url)
    const { page } = browsing
    await signIn(page, await newSignInLink(product))
    await page.goto('/agents')
    const keys: (string | undefined)[] = []
    await page.route('**/api/agents', async (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      keys.push(route.request().headers()['idempotency-key'])
      if (keys.length > 1) return route.continue()
      await route.fetch() // it arrived; the answer did not
      await route.abort('connectionreset')
    })
    await button(page, 'Register an agent').first().click()
    await page.getByLabel('Name').fill('roaming')
    await button(page, 'Register').click()
    await page.getByRole('heading', { level: 1, name: 'roaming' }).waitFor()
    expect([keys.length, new Set(keys).size]).toEqual([2, 1])
    const { items } = await product.client.call(listAgents, {})
    expect(items.filter(({ name }) => name === 'roaming')).toHaveLength(1)
  })

  it('says so while the control plane is away, can be looked around in, and comes back by itself', async () => {
    await using browsing = await openBrowser(product.url)
    const { page } = browsing
    await signIn(page, await newSignInLink(product))
    await page.getByRole('heading', { level: 1, name: /local/ }).waitFor()
    // The code of pages that were not opened yet is fetched in advance.
    // Asked from outside: what the page's own policy forbids, a text as code, is not for Playwright to do in it either.
    const isFetched = `performance.getEntriesByType('resource').some(({ name }) => name.includes('settings.page'))`
    await waitFor('the code of pages is not fetched', 60_000, async () => (await page.evaluate(isFetched)) || undefined)
    await product.kill()
    await page.getByText('The control plane does not answer.').first().waitFor()
    await page.getByRole('heading', { level: 1, name: /^Last known:/ }).waitFor()
    await page.getByRole('link', { name: 'Settings' }).first().click()
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
    await product.start()
    await page.getByText('Live', { exact: true }).first().waitFor()
    await page.getByText('The control plane does not answer.').waitFor({ state: 'detached' })
  })
})
