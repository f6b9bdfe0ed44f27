import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { barriersOn, newSignInLink, openBrowser, signIn } from './browser.ts'
import { type Product, startProduct } from './product.ts'

let product: Product
beforeAll(async () => {
  product = await startProduct({ LOCAL_TOOLBOX: 'off' })
})
afterAll(() => product?.[Symbol.asyncDispose]())

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

it('somebody is invited, joins in another browser, gets another role, and is removed', async () => {
  await using mine = await openBrowser(product.url)
  await using theirs = await openBrowser(product.url)
  const barriers: string[] = []

  await signIn(mine.page, await newSignInLink(product))
  await mine.page.goto('/settings')
  await button(mine.page, 'Invite somebody').click()
  await mine.page.getByLabel('E-mail').last().fill('guest@example.com')
  barriers.push(...(await barriersOn(mine.page)))
  await button(mine.page, 'Make the link').click()
  const link = await mine.page.locator('[data-secret]').innerText()
  await button(mine.page, 'I have it').click()
  await region(mine.page, 'Open invitations').getByText('guest@example.com').waitFor()

  await theirs.page.goto(link)
  await theirs.page.getByRole('heading', { name: 'You are invited to default' }).waitFor()
  expect(theirs.page.url()).toBe(`${product.url}/invitation`) // the token does not stay in the address
  barriers.push(...(await barriersOn(theirs.page)))
  await theirs.page.getByLabel('Your name').fill('Guest')
  await theirs.page.getByLabel('Password').fill('a long enough password')
  await button(theirs.page, 'Join').click()
  await theirs.page.getByRole('navigation', { name: 'Pages' }).first().waitFor()

  await region(mine.page, 'People').getByText('guest@example.com').waitFor() // told by the server, without a reload
  await mine.page.getByRole('combobox', { name: 'Role of guest@example.com' }).click()
  await mine.page.getByRole('option', { name: 'viewer' }).click()
  await theirs.page.goto('/settings')
  await region(theirs.page, 'People').getByText('guest@example.com').waitFor()
  expect(await button(theirs.page, 'Invite somebody').count()).toBe(0)
  barriers.push(...(await barriersOn(theirs.page)))

  await region(mine.page, 'People')
    .getByRole('row', { name: /guest@/ })
    .getByRole('button', { name: 'Remove' })
    .click()
  await mine.page.getByLabel(/to confirm/).fill('guest@example.com')
  await mine.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await region(mine.page, 'People').getByText('guest@example.com').waitFor({ state: 'detached' })
  await theirs.page.reload()
  await button(theirs.page, 'Sign in').waitFor()

  expect(barriers).toEqual([])
  expect(mine.complaints).toEqual([])
  expect(product.output()).not.toContain(link.split('#')[1])
})
