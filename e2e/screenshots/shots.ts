import type { BrowserContextOptions, Page } from 'playwright-core'
import { type Pictured, TOKEN_NAME } from './set-up.ts'

export interface Shot {
  /** Of the file, without `.png`. */
  readonly name: string
  readonly path: (things: Pictured) => string
  readonly options?: BrowserContextOptions
  readonly signedOut?: boolean
  /** Brings the page to what is to be seen; returns when it is. */
  readonly prepare?: (page: Page, things: Pictured) => Promise<unknown>
}

const overview = { path: () => '/', prepare: (page: Page) => page.getByText('Recent calls').waitFor() }

export const SHOTS: readonly Shot[] = [
  { name: 'overview', ...overview },
  { name: 'overview-dark', ...overview, options: { colorScheme: 'dark' } },
  { name: 'phone', ...overview, options: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } },
  {
    name: 'toolbox',
    path: ({ toolboxId }) => `/toolboxes/${toolboxId}`,
    async prepare(page) {
      await page.getByRole('button', { name: 'Refresh status' }).click()
      await page.getByText('reachable', { exact: true }).waitFor()
    },
  },
  {
    name: 'tool',
    path: ({ toolboxId, loggingInstanceId }) => `/toolboxes/${toolboxId}/tools/${loggingInstanceId}/logs`,
    prepare: (page) => page.getByText('Following').waitFor(),
  },
  {
    name: 'catalog',
    path: () => '/catalog',
    prepare: (page) => page.getByRole('button', { name: 'Deploy Memory' }).waitFor(),
  },
  {
    name: 'deploy',
    path: () => '/catalog',
    async prepare(page) {
      await page.getByRole('button', { name: 'Deploy Filesystem' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Deploy', exact: true }).waitFor()
    },
  },
  {
    name: 'agent',
    path: ({ agentId }) => `/agents/${agentId}`,
    prepare: (page) => page.getByRole('checkbox', { name: /^echo/ }).first().waitFor(),
  },
  {
    name: 'try-it',
    path: ({ agentId }) => `/agents/${agentId}/try`,
    async prepare(page) {
      await page.getByLabel('message').fill('hello toolbox')
      await page.getByRole('button', { name: 'Call', exact: true }).click()
      await page.getByText('Echo: hello toolbox').waitFor()
    },
  },
  {
    name: 'connect',
    path: ({ agentId }) => `/agents/${agentId}/connect`,
    async prepare(page) {
      await page.getByRole('button', { name: 'Create a token' }).first().click()
      await page.getByLabel('Name').fill(TOKEN_NAME)
      await page.getByRole('button', { name: 'Create', exact: true }).click()
      await page.getByRole('button', { name: 'I have it' }).waitFor()
    },
  },
  { name: 'calls', path: () => '/calls', prepare: (page) => page.getByRole('row').nth(3).waitFor() },
  {
    name: 'settings',
    path: () => '/settings',
    prepare: (page) => page.getByText('MCP endpoint').waitFor(),
  },
  { name: 'sign-in', path: () => '/sign-in', signedOut: true },
]

/** Of a product in which a tool has changed, and calls wait for a person. */
export const SHOTS_OF_ASKING: readonly Shot[] = [
  {
    name: 'approvals',
    path: () => '/approvals',
    prepare: (page) => page.getByRole('button', { name: 'Approve once' }).first().waitFor(),
  },
  {
    name: 'approvals-phone',
    path: () => '/approvals',
    options: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
    prepare: (page) => page.getByRole('button', { name: 'Approve once' }).first().waitFor(),
  },
  {
    name: 'changed-capability',
    path: ({ agentId }) => `/agents/${agentId}`,
    async prepare(page) {
      await page.getByRole('button', { name: 'Review' }).click()
      await page.getByRole('dialog').getByText('newly destructive').waitFor()
    },
  },
  {
    name: 'permissions',
    path: ({ agentId }) => `/agents/${agentId}`,
    options: { colorScheme: 'dark' },
    prepare: (page) => page.getByText('blocked', { exact: true }).waitFor(),
  },
]
