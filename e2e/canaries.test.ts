import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addToolbeltItem,
  createAgent,
  createAgentToken,
  createInvitation,
  createJoinLine,
  createToolbox,
  deployTool,
  executeCapability,
  getCredential,
  grantToolboxAccess,
  OPERATIONS,
  putCredential,
  putOAuthClient,
  putPayloadRule,
  putRegistryCredential,
  redeemSignInLink,
  setPassword,
  setProviderToken,
  type Toolbox,
  type UserOperation,
} from '@agentopia/api'
import { dumpOf } from '@agentopia/backend/testing'
import { type Cloud, openCloud } from '@agentopia/testbed/cloud'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { allRead, newSignInLink, openBrowser, signIn } from './browser.ts'
import { docker, dtmaContainerOf } from './docker.ts'
import { type Product, startProduct, waitFor } from './product.ts'
import { activeToolbox, removeWithContainers } from './settled.ts'

// Every kind of secret that the product holds is sown, and then looked for wherever somebody could come across it.

const SETTLE_MS = 180_000
/** Where no secret is, though all of this is. */
const NAME = 'seen-by-everybody'
const CAPABILITY = 'brave_web_search'

let product: Product
let cloud: Cloud
let toolbox: Toolbox
let ids: Record<string, string>
const sown: Record<string, string> = {}
/** Command lines of all processes, from the first secret to the last look. */
const commandLines = new Set<string>()
let watch: NodeJS.Timeout

beforeAll(async () => {
  watch = setInterval(noteCommandLines, 50)
  cloud = await openCloud({ bed: 7 })
  product = await startProduct({ DIGITALOCEAN_API_URL: cloud.url, AGENT_TOOL_IDLE_SECONDS: '120' })
  toolbox = await activeToolbox(product.client)
})
afterAll(async () => {
  clearInterval(watch)
  if (product) {
    await removeWithContainers(product.client, { toolboxId: toolbox.id, id: ids['instanceId']! })
    await product[Symbol.asyncDispose]()
  }
  await cloud?.close()
})

it('every kind of secret is given to the product, or by it', async () => {
  const { client, url, dataDir } = product
  const canary = (kind: string) => {
    const value = `canary-${kind}-${crypto.randomUUID()}`
    sown[kind] = value
    return value
  }
  sown['API token'] = product.token
  sown['master key'] = readFileSync(join(dataDir, 'master.key'), 'utf8').trim()
  sown['token of DigitalOcean'] = cloud.emulator.world.token

  const [, token] = (await newSignInLink(product)).split('#')
  const session = await client.open(redeemSignInLink, { body: { token: token! } }, { headers: { origin: url } })
  const [cookie] = session.headers.getSetCookie().map((line) => line.split(';', 1)[0]!)
  sown['session'] = decodeURIComponent(cookie!.slice(cookie!.indexOf('=') + 1))
  const body = { newPassword: canary('password'), email: 'owner@example.com' }
  const asOwner = await fetch(`${url}${setPassword.path}`, {
    method: setPassword.method,
    headers: { origin: url, cookie: cookie!, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(asOwner.status).toBe(204)

  await client.call(setProviderToken, { body: { token: cloud.emulator.world.token } })
  const registry = 'registry.example:5000'
  const password = canary('registry')
  await client.call(putRegistryCredential, { params: { registry }, body: { username: 'robot', password } })
  const issuer = 'https://login.example.com'
  await client.call(putOAuthClient, { body: { issuer, clientId: 'x', clientSecret: canary('OAuth client') } })
  const invited = await client.call(createInvitation, { body: { email: 'guest@example.com', role: 'viewer' } })
  sown['invitation'] = invited.link.split('#')[1]!
  const server = await client.call(createToolbox, { body: { provider: 'join', name: 'server' } })
  const { line } = await client.call(createJoinLine, { params: { toolboxId: server.id } })
  sown['enrolment token'] = /enrol_[\w-]+/.exec(line)![0]
  sown['sign-in link'] = (await newSignInLink(product)).split('#')[1]!

  const held = await docker('exec', dtmaContainerOf(toolbox.id), 'cat', '/var/lib/dtma/identity.json')
  for (const [name, value] of secretsIn(JSON.parse(held))) sown[`${name} of DTMA`] = value

  const params = { toolboxId: toolbox.id }
  const instance = await client.call(deployTool, { params, body: { toolId: 'brave-search', name: 'search' } })
  const { id: agentId } = await client.call(createAgent, { body: { name: NAME } })
  await client.call(grantToolboxAccess, { params: { agentId, toolboxId: toolbox.id } })
  const belt = { instanceId: instance.id, allow: [CAPABILITY] }
  const { id: toolbeltItemId } = await client.call(addToolbeltItem, { params: { agentId }, body: belt })
  const made = await client.call(createAgentToken, { params: { agentId }, body: { name: 'laptop' } })
  sown['agent token'] = made.secret
  const place = { agentId, toolbeltItemId }
  ids = { ...place, toolboxId: toolbox.id, instanceId: instance.id, tokenId: made.token.id, toolId: 'brave-search' }
  await client.call(putCredential, { params: place, body: { values: { apiKey: canary('credential') } } })
  await waitFor('the credential is not valid', SETTLE_MS, async () =>
    (await client.call(getCredential, { params: place })).state === 'valid' ? true : undefined,
  )
  await client.call(putPayloadRule, { body: { days: 7 } })
  const query = `what is ${sown['credential']}?`
  await client.call(executeCapability, { params: place, body: { capability: CAPABILITY, arguments: { query } } })

  expect(Object.keys(sown).length).toBeGreaterThanOrEqual(14)
  for (const [kind, value] of Object.entries(sown)) expect([kind, value.length >= 16]).toEqual([kind, true])
})

it('K01 M10 no reading operation answers with one', async () => {
  const texts: string[] = []
  const reading = (OPERATIONS as readonly UserOperation[]).filter(({ method }) => method === 'GET')
  for (const { path } of reading) {
    const filled = path.replaceAll(/:(\w+)/g, (all, name: string) => ids[name] ?? all)
    if (filled.includes(':')) continue
    const answer = await fetch(`${product.url}${filled}`, { headers: { authorization: `Bearer ${product.token}` } })
    if (answer.headers.get('content-type')?.startsWith('text/event-stream')) await answer.body?.cancel()
    else texts.push(await answer.text())
  }
  expect(texts.length).toBeGreaterThan(30)
  clean('answers', texts.join('\n'), NAME)
})

it('K01 a refusal does not repeat what it refuses', async () => {
  const wrong = { wrong: Object.values(sown) }
  const writing = (OPERATIONS as readonly UserOperation[]).filter(({ body }) => body)
  const texts: string[] = []
  for (const { method, path } of writing) {
    const answer = await fetch(`${product.url}${path.replaceAll(/:(\w+)/g, (_, name: string) => ids[name] ?? 'x')}`, {
      method,
      headers: { authorization: `Bearer ${product.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(wrong),
    })
    expect([path, answer.status >= 400 && answer.status < 500]).toEqual([path, true])
    texts.push(await answer.text())
  }
  clean('refusals', texts.join('\n'), 'code')
})

it('K01 no page shows one, none is fetched for one, and none is kept by the browser', async () => {
  await using browsing = await openBrowser(product.url)
  const { page } = browsing
  await signIn(page, await newSignInLink(product))
  const found: string[] = []
  page.on('response', async (response) => {
    found.push(response.url(), await response.text().catch(() => ''))
  })
  const visited = await walk(page, found)
  expect(visited).toBeGreaterThan(12)
  clean('pages', found.join('\n'), NAME)
})

it('K01 K03 the database holds none, nor any file beside it but the master key and, here, the identity of DTMA', async () => {
  clean('database', await dumpOf(product.dataDir), NAME)
  clean('files', filesUnder(product.dataDir, ['master.key', 'identity.json']), NAME)
})

it('K01 no log, inspection or command line has one', async () => {
  clean('log of the control plane', product.output(), 'Agentopia Toolboxes')
  clean('log of DTMA', await docker('logs', dtmaContainerOf(toolbox.id)), 'DTMA listens')
  const containers = (await docker('ps', '--all', '--quiet')).split('\n').filter(Boolean)
  const mine = await docker('ps', '--all', '--quiet', '--filter', `name=${ids['instanceId']}`)
  const inspected = await Promise.all(containers.map((id) => docker('inspect', id).catch(() => '')))
  clean('inspections', inspected.join('\n'), ids['instanceId']!)
  for (const id of mine.split('\n').filter(Boolean)) clean('log of the tool', await docker('logs', id))
  clean('command lines', [...commandLines].join('\n'), 'control-plane.mjs')
})

it('K03 on the toolbox only its own keys are on disk', async () => {
  const format = '{{range .Mounts}}{{if ne .Destination "/var/run/docker.sock"}}{{.Source}}{{"\\n"}}{{end}}{{end}}'
  const mounts = (await docker('inspect', '--format', format, dtmaContainerOf(toolbox.id))).split('\n').filter(Boolean)
  const files = mounts.map((directory) => filesUnder(directory)).join('\n')
  clean('files of DTMA', files, ids['instanceId']!, ([kind]) => !kind.endsWith('of DTMA'))
})

/** No secret is in the text, in plain or in another writing; `known` is, so it has been looked at. */
function clean(where: string, text: string, known = '', which: (sown: [string, string]) => boolean = () => true): void {
  expect([where, text.includes(known)]).toEqual([where, true])
  const leaked = Object.entries(sown)
    .filter(which)
    .filter(([, value]) => writingsOf(value).some((written) => text.includes(written)))
  expect([where, leaked.map(([kind]) => kind)]).toEqual([where, []])
}

function writingsOf(value: string): string[] {
  const bytes = Buffer.from(value)
  // In base64 the neighbours decide about the first and last characters, for each of three offsets.
  const shifted = [0, 1, 2].map((by) =>
    Buffer.concat([Buffer.alloc(by), bytes])
      .toString('base64')
      .slice(4, -4),
  )
  return [value, encodeURIComponent(value), bytes.toString('hex'), ...shifted]
}

/** Names and values of everything in a document that looks like a secret by its length. */
const secretsIn = (document: unknown): [string, string][] =>
  Object.entries(document as Record<string, unknown>).flatMap(([name, value]) => {
    if (typeof value === 'object' && value !== null) return secretsIn(value)
    return /token|key|secret/i.test(name) &&
      !/public|digest/i.test(name) &&
      typeof value === 'string' &&
      value.length >= 16
      ? [[name, value] as [string, string]]
      : []
  })

/** Follows every link of the product, and notes what is seen and kept. @returns How many pages there were. */
async function walk(page: Page, found: string[]): Promise<number> {
  const waiting = ['/']
  const seen = new Set(waiting)
  for (let path = waiting.shift(); path !== undefined && seen.size < 80; path = waiting.shift()) {
    await page.goto(path)
    await allRead(page)
    found.push(page.url(), await page.content(), await page.evaluate<string>(KEPT))
    const links = await page.locator('a[href^="/"]').evaluateAll((all) => all.map((one) => one.getAttribute('href')!))
    for (const link of links)
      if (!seen.has(link)) {
        seen.add(link)
        waiting.push(link)
      }
  }
  return seen.size
}

const KEPT = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])'

function noteCommandLines(): void {
  for (const pid of readdirSync('/proc'))
    if (/^\d+$/.test(pid))
      try {
        commandLines.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
      } catch {
        // it has ended since
      }
}

function filesUnder(directory: string, except: readonly string[] = []): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !except.includes(entry.name))
    .map(({ parentPath, name }) => {
      try {
        return readFileSync(join(parentPath, name), 'latin1')
      } catch {
        return '' // PostgreSQL renames and removes its files while we look
      }
    })
    .join('\n')
}
