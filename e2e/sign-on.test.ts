import { CLIENT, openProvider } from '@agentopia/testbed/openid-provider'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pluggedIn } from './authenticator.ts'
import { barriersOn, openBrowser } from './browser.ts'
import { type Product, startProduct } from './product.ts'

let provider: Awaited<ReturnType<typeof openProvider>>
let product: Product
beforeAll(async () => {
  provider = await openProvider()
  product = await startProduct({
    LOCAL_TOOLBOX: 'off',
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: CLIENT.clientId,
    OIDC_CLIENT_SECRET: CLIENT.clientSecret,
    OIDC_DOMAINS: 'example.com',
    OIDC_ROLE: 'operator',
    OIDC_LABEL: 'Example',
  })
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await provider?.close()
})

const button = (page: Page | Locator, name: string) => page.getByRole('button', { name, exact: true })

it('somebody who was never here signs in in Chromium by the provider; who is refused is told why, and what next', async () => {
  await using browsing = await openBrowser(product.url)
  const { page, complaints } = browsing
  const barriers: string[] = []

  await page.goto('/sign-in?to=/settings')
  await button(page, 'Sign in with Example').waitFor()
  barriers.push(...(await barriersOn(page)))
  await button(page, 'Sign in with Example').click()
  await page.getByRole('heading', { name: 'Settings' }).waitFor()
  await page.getByRole('region', { name: 'People', exact: true }).getByText('ada@example.com').waitFor()
  expect(page.url()).toBe(`${product.url}/settings`) // neither code nor state is left
  await page.getByText('You sign in with Example.').waitFor()
  barriers.push(...(await barriersOn(page)))
  expect(complaints.filter((text) => !text.includes('401'))).toEqual([])

  await page.context().clearCookies()
  provider.wrong.claims = { email_verified: false }
  await page.goto('/sign-in')
  await button(page, 'Sign in with Example').click()
  await page.getByText('sign-on-refused').waitFor()
  await page.getByText(/does not say that it verified/).waitFor()
  barriers.push(...(await barriersOn(page)))
  expect(page.url()).toBe(`${product.url}/signed-on`)
  await page.getByRole('link', { name: 'Back to the sign-in' }).click()
  await button(page, 'Sign in with Example').waitFor()

  expect(barriers).toEqual([])
  expect(product.output()).not.toContain(CLIENT.clientSecret)
})

it('who changes how he signs in shows that it is he, by each of his ways, and what he asked for goes on by itself', async () => {
  await using browsing = await openBrowser(product.url)
  const { page, complaints } = browsing
  const barriers: string[] = []
  provider.wrong.claims = {}
  provider.becomes({ sub: 'subject-9', email: 'grace@example.com', name: 'Grace' })
  await pluggedIn(page)
  const dialog = page.getByRole('dialog', { name: 'Is it you?' })
  const enter = async () => {
    await page.context().clearCookies()
    await page.goto('/sign-in?to=/settings')
    await button(page, 'Sign in with Example').click()
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
  }

  // By the provider, which lets her in by a session of hers: that shows nothing. She signs in there anew, in another window.
  await enter()
  await button(page, 'Unlink').click()
  await dialog.waitFor()
  expect(await button(dialog, 'Continue').count()).toBe(0)
  barriers.push(...(await barriersOn(page)))
  await button(dialog, 'Cancel').click()
  await page.getByText('Nothing was done').waitFor()
  expect(await page.getByRole('alert').count()).toBe(0) // it was her choice, and no failure
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByLabel('Name').fill('test device')
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
  await dialog.waitFor()
  const away = page.context().waitForEvent('page')
  await button(dialog, 'Sign in with Example once more').click()
  const closed = (await away).waitForEvent('close')
  await page
    .getByRole('row', { name: /test device/ })
    .getByText('never')
    .waitFor()
  await closed
  expect(await page.getByRole('dialog').count()).toBe(0)

  // By the passkey, for a password.
  await enter()
  await page.getByLabel('New password').fill('a long enough password')
  await button(page, 'Set password').click()
  await button(dialog, 'Use a passkey').click()
  await page.getByText('The password is set. Other sessions have ended.').waitFor()
  await button(page, 'Change password').waitFor()

  // By the password, on the page of its own where a client asks to act as an agent.
  await enter()
  await page.route(`${CALLBACK}*`, (route) => route.fulfill({ body: 'let in' }))
  await page.goto(await authorizationUrl())
  await page.getByLabel('Name of the new agent').fill('desk')
  await button(page, 'Connect').click()
  await dialog.getByLabel('Your password').fill('a long enough password')
  barriers.push(...(await barriersOn(page)))
  await button(dialog, 'Continue').click()
  await page.getByText('let in').waitFor()
  expect(new URL(page.url()).searchParams.get('code')).toMatch(/.{20}/)

  // By the password, wrong and right, for a token; and for five minutes she is not asked again.
  await enter()
  await button(page, 'Create a token').click()
  await page.getByLabel('Name').fill('laptop')
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
  await dialog.getByLabel('Your password').fill('not the password')
  await button(dialog, 'Continue').click()
  await dialog.getByText('sign-in-refused').waitFor()
  barriers.push(...(await barriersOn(page)))
  await dialog.getByLabel('Your password').fill('a long enough password')
  await button(dialog, 'Continue').click()
  await page.getByText(/^tbx_.{20}/).waitFor()
  await page.keyboard.press('Escape')
  await button(page, 'Unlink').click()
  await button(page, 'Link with Example').waitFor()
  await page.context().clearCookies()
  await page.goto('/sign-in')
  await button(page, 'Sign in with Example').click()
  await page.getByText('sign-on-unlinked').waitFor()

  expect(barriers).toEqual([])
  // What was refused until it was shown, the password that was wrong, and what needs somebody to be signed in.
  expect(complaints.filter((text) => !/40[139]/.test(text))).toEqual([])
  expect(product.output()).not.toContain('a long enough password')
})

const CALLBACK = 'http://127.0.0.1:7000/callback'

/** Where a client that registered itself sends the browser. */
async function authorizationUrl(): Promise<string> {
  const registered = await fetch(`${product.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Desk', redirect_uris: [CALLBACK] }),
  })
  const { client_id } = (await registered.json()) as { client_id: string }
  const query = { response_type: 'code', code_challenge_method: 'S256', code_challenge: 'x'.repeat(43), state: 'x' }
  return `${product.url}/oauth/authorize?${new URLSearchParams({ ...query, client_id, redirect_uri: CALLBACK })}`
}
