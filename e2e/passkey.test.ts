import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pluggedIn } from './authenticator.ts'
import { barriersOn, newSignInLink, openBrowser, signIn } from './browser.ts'
import { type Product, startProduct } from './product.ts'

let product: Product
beforeAll(async () => {
  product = await startProduct({ LOCAL_TOOLBOX: 'off' })
})
afterAll(() => product?.[Symbol.asyncDispose]())

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

it('a passkey is added in Chromium, signs in without an address being typed, and is not the last to go', async () => {
  await using browsing = await openBrowser(product.url)
  const { page, complaints } = browsing
  const barriers: string[] = []
  const { cdp, authenticatorId } = await pluggedIn(page)

  await signIn(page, await newSignInLink(product))
  await page.goto('/settings')
  await button(page, 'Add a passkey').click()
  await page.getByLabel('Name').fill('test device')
  barriers.push(...(await barriersOn(page)))
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
  const row = region(page, 'Passkeys').getByRole('row', { name: /test device/ })
  await row.getByText('never').waitFor()
  expect((await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials).toMatchObject([
    { isResidentCredential: true, rpId: 'localhost' },
  ])
  barriers.push(...(await barriersOn(page)))

  await row.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('last-way-in').waitFor()

  await page.context().clearCookies()
  await page.goto('/sign-in?to=/settings')
  await button(page, 'Sign in with a passkey').click()
  await row.waitFor()
  expect(await row.getByText('never').count()).toBe(0)
  barriers.push(...(await barriersOn(page)))
  expect(barriers).toEqual([])
  // The only answer that is no success is the refusal that was provoked.
  expect(complaints.filter((text) => !text.includes('409'))).toEqual([])

  // The same key, but with a counter that was already used: a copy.
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
  await cdp.send('WebAuthn.clearCredentials', { authenticatorId })
  for (const credential of credentials)
    await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, signCount: 0 } })
  await page.context().clearCookies()
  await page.goto('/sign-in')
  await button(page, 'Sign in with a passkey').click()
  await page.getByText('passkey-refused').waitFor()
  await page.getByText(/may have been copied/).waitFor()

  await cdp.send('WebAuthn.clearCredentials', { authenticatorId })
  await button(page, 'Sign in with a passkey').click()
  await page.getByText('no-passkey').waitFor()
})
