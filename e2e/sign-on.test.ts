import { CLIENT, openProvider } from '@agentopia/testbed/openid-provider'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { barriersOn, openBrowser } from './browser.ts'
import { type Product, startProduct } from './product.ts'

const STEP_MS = 20_000

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

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

it('somebody who was never here signs in in Chromium by the provider; who is refused is told why, and what next', async () => {
  await using browsing = await openBrowser(product.url)
  const { page, complaints } = browsing
  page.setDefaultTimeout(STEP_MS)
  const barriers: string[] = []

  await page.goto('/sign-in?to=/settings')
  await button(page, 'Sign in with Example').waitFor()
  barriers.push(...(await barriersOn(page)))
  await button(page, 'Sign in with Example').click()
  await page.getByRole('heading', { name: 'Settings' }).waitFor()
  await page.getByRole('region', { name: 'People', exact: true }).getByText('ada@example.com').waitFor()
  expect(page.url()).toBe(`${product.url}/settings`) // neither code nor state is left
  await button(page, 'Link with Example').waitFor()
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
