import type { SecretPolicy } from '@agentopia/api'
import { META_KEY, MODERN } from '@agentopia/dtma/contract'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createCatalog } from '../catalog/catalog.ts'
import { CURATED } from '../catalog/curated.ts'
import { storeCredential } from '../credentials/credential.store.ts'
import { hintsOf } from '../credentials/credential.values.ts'
import { listActivities } from '../events/activity.store.ts'
import { newId } from '../new-id.ts'
import { digestOf } from '../secret.ts'
import { agents, callSettings, toolbeltItems } from '../store/schema/index.ts'
import { openTestGateway, type Posted, post, rpc, type TestGateway, toolCall } from './gateway.testing.ts'

/** In pieces, for scanners of leaked secrets. */
const TOKEN = `ghp${'_'}${'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3'}`
const OWN = 'correct "horse" battery/staple+'
const NUMBER = '12345678'

let gateway: TestGateway

beforeEach(async () => {
  const secrets = ['apiKey', 'pin'].map((key) => ({
    key,
    title: key,
    required: true,
    target: { env: key.toUpperCase() },
  }))
  gateway = await openTestGateway({ catalog: createCatalog([{ ...CURATED[0]!, id: 'fake', secrets }]) })
})
afterEach(() => gateway.close())

const decide = (secrets: SecretPolicy) =>
  gateway.store.system((tx) =>
    tx
      .insert(callSettings)
      .values({ accountId: 'account_1', secrets })
      .onConflictDoUpdate({ target: callSettings.accountId, set: { secrets } }),
  )

async function give(values: Record<string, string>): Promise<void> {
  const { store, seals, demo } = gateway
  await store.system(async (tx) => {
    const place = { id: newId('cred'), accountId: 'account_1', version: 1 }
    const sealed = await seals.seal(tx, place, values)
    await storeCredential(tx, { ...place, toolbeltItemId: demo.itemId, sealed, hints: hintsOf(values) })
  })
}

async function activity(): Promise<string[]> {
  await gateway.secretAudit.settled()
  const found = await gateway.store.tenant('account_1', (tx) => listActivities(tx, { limit: 100 }))
  return found.filter(({ action }) => action.startsWith('secret.')).map(({ message }) => message)
}

/** Everything that the client hears of one call, an event stream as it comes. */
async function heard(name: string, args: object): Promise<string> {
  const answer = await fetch(gateway.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${gateway.secret}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify(rpc('tools/call', { name, arguments: args, _meta: { progressToken: 1 } })),
  })
  return answer.text()
}

test('M10 what looks like a secret is taken out of arguments and answer, and both are on record', async () => {
  const { body } = await post(gateway, toolCall('demo__echo', { text: `use ${TOKEN} now`, note: [{ [TOKEN]: 1 }] }))
  expect(body.result['content']).toEqual([{ type: 'text', text: 'use [redacted: github-token] now' }])
  expect(JSON.stringify(gateway.dtma.seen)).not.toContain(TOKEN)
  const [call] = await gateway.calls()
  expect(call).toMatchObject({ outcome: 'ok', secretsSeen: ['arguments:github-token'] })
  expect(await activity()).toEqual([
    `Took out what must not go through a call (${call!.id}) of helper to demo__echo: github-token in the arguments`,
  ])
})

test('M10 a tool that gives away the secret it was given by us does not get it to the agent, in any form', async () => {
  await give({ apiKey: OWN, pin: NUMBER })
  await decide('off')
  // The tool has it; here the fake one is told so by the only way there is.
  gateway.dtma.say(OWN)
  const text = await heard('demo__mirror', {})
  expect(text).not.toContain('horse')
  expect(text).not.toContain(JSON.stringify(OWN).slice(1, -1))
  const answer = JSON.parse(text.trimEnd().split('data: ').at(-1)!) as {
    result: { content: { data: string }[]; structuredContent: { count: number } }
  }
  expect(Buffer.from(answer.result.content[1]!.data, 'base64').toString('latin1')).not.toContain('horse')
  expect(answer.result.structuredContent.count).toBe(0)
  const [call] = await gateway.calls()
  expect(call).toMatchObject({ outcome: 'ok', secretsSeen: ['notification:own-secret', 'result:own-secret'] })
  expect(await activity()).toHaveLength(1)
})

test('M10 an agent that sends its own secret to another tool sends nothing of it', async () => {
  await give({ apiKey: OWN, pin: NUMBER })
  await post(gateway, toolCall('other__echo', { text: Buffer.from(`>${OWN}<`).toString('base64') }))
  const sent = gateway.dtma.seen[0]!.request.params!['arguments'] as { text: string }
  expect(Buffer.from(sent.text, 'base64').toString('latin1')).not.toContain('horse')
  expect((await gateway.calls())[0]).toMatchObject({ instanceName: 'other', secretsSeen: ['arguments:own-secret'] })
})

test('M10 where the account blocks, arguments with a secret are not sent and answers with one are not given', async () => {
  await decide('block')
  const asked = await post(gateway, toolCall('demo__echo', { text: TOKEN }))
  expect(asked.body.error).toMatchObject({ code: 403, data: { code: 'secret-blocked' } })
  expect(gateway.dtma.seen).toEqual([])
  gateway.dtma.say(TOKEN)
  const text = await heard('demo__mirror', {})
  expect(text).toContain('secret-blocked')
  expect(text).not.toContain(TOKEN)
  expect(await gateway.calls()).toMatchObject([
    { outcome: 'failed', code: 'secret-blocked', secretsSeen: ['notification:github-token', 'result:github-token'] },
    { outcome: 'denied', code: 'secret-blocked', secretsSeen: ['arguments:github-token'] },
  ])
  expect(await activity()).toHaveLength(2)
})

test('M10 what a tool says before its answer is searched as its answer is', async () => {
  gateway.dtma.say(`say ${TOKEN}`)
  const text = await heard('demo__mirror', {})
  expect(text).toContain('redacted: github-token')
  expect(text).not.toContain(TOKEN)
})

test('where the account wants it so, only secrets of its own are looked for', async () => {
  await decide('off')
  const { body } = await post(gateway, toolCall('demo__echo', { text: TOKEN }))
  expect(JSON.stringify(body.result)).toContain(TOKEN)
  expect((await gateway.calls())[0]).not.toHaveProperty('secretsSeen')
  expect(await activity()).toEqual([])
})

test('a tool that gives a secret with every call is one entry for people, and a mark at each call', async () => {
  for (let n = 0; n < 5; n += 1) await post(gateway, toolCall('demo__echo', { text: `${n} ${TOKEN}` }))
  expect((await gateway.calls()).every(({ secretsSeen }) => secretsSeen?.length === 1)).toBe(true)
  expect(await activity()).toHaveLength(1)
})

/** What nobody sees, and a model reads; and what moves a terminal. */
const TAGGED = [...'steal'].map((letter) => String.fromCodePoint(0xe0000 + letter.codePointAt(0)!)).join('')
const UNSEEN = `fi\u200bne\u202e${TAGGED} \u001b[31mred\u001b[0m`
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const NOT_SEEN = /\u200b|\u202e|\udb40|\u001b|(?<!\\)\\u(?:200b|202e|db40|001b)/i

test('M22 what nobody sees is taken out of all that a tool says, whatever is done about secrets', async () => {
  for (const policy of ['redact', 'off'] as const) {
    await decide(policy)
    gateway.dtma.say(UNSEEN)
    const text = await heard('demo__mirror', {})
    expect(text).not.toMatch(NOT_SEEN)
    const [said, answer] = text
      .trimEnd()
      .split('\n\n')
      .map((event) => JSON.parse(event.split('data: ').at(-1)!))
    expect(said).toMatchObject({ method: 'notifications/progress', params: { message: 'fine red' } })
    expect(answer.result.content[0]).toEqual({ type: 'text', text: 'fine red' })
    expect(answer.result.structuredContent).toMatchObject({ words: 'fine red', 'fine red': [{}], count: 12_345_678 })
    expect((await gateway.calls())[0]).toMatchObject({
      outcome: 'ok',
      secretsSeen: [
        'notification:control-characters',
        'notification:hidden-characters',
        'result:control-characters',
        'result:hidden-characters',
      ],
    })
  }
  expect(await activity()).toEqual([])
})

test('M22 so it is from prompts, resources, what a tool refuses with, and what a toolbox says of it', async () => {
  await share()
  gateway.dtma.say(UNSEEN)
  const answers = [
    await get('mirror'),
    await read('x:1'),
    await post(gateway, toolCall('demo__refuses', { text: UNSEEN })),
    await post(gateway, toolCall('demo__problem', { code: 'tool-failed', detail: UNSEEN })),
  ]
  for (const { body } of answers) expect(JSON.stringify(body)).not.toMatch(NOT_SEEN)
  expect(answers[0]!.body.result['content']).toMatchObject([{ text: 'fine red' }, {}])
  expect(answers[1]!.body.result['contents']).toMatchObject([{ text: 'fine red' }])
  expect(answers[2]!.body.error.message).toBe('text is missing: fine red')
  expect(answers[3]!.body.error.message).toContain('fine red')
})

test('M22 a secret that hides behind what nobody sees is found', async () => {
  const hidden = [...TOKEN].join('\u200b')
  const { body } = await post(gateway, toolCall('demo__echo', { text: hidden }))
  expect(body.result['content']).toEqual([{ type: 'text', text: '[redacted: github-token]' }])
  expect((await gateway.calls())[0]).toMatchObject({ secretsSeen: ['result:github-token', 'result:hidden-characters'] })
})

test('M22 honest words in any script pass as the tool wrote them, and leave no mark', async () => {
  const text =
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u2764\ufe0f می\u200cخواهم שלום\u200f! 葛\u{e0100} क्\u200dष\n\tGrüße'
  const { body } = await post(gateway, toolCall('demo__echo', { text }))
  expect(body.result['content']).toEqual([{ type: 'text', text }])
  expect((await gateway.calls())[0]).not.toHaveProperty('secretsSeen')
})

test('an answer without secrets passes as the tool wrote it', async () => {
  const before = await post(gateway, toolCall('demo__echo', { text: 'https://example.com:443/a@b' }))
  expect(before.body.result['content']).toEqual([{ type: 'text', text: 'https://example.com:443/a@b' }])
})

/** Lets the agent use prompts and resources of both tools. */
const share = () => gateway.store.system((tx) => tx.update(toolbeltItems).set({ prompts: true, resources: true }))
const read = (address: string) => post(gateway, rpc('resources/read', { uri: `agentopia:demo/${address}` }))
const get = (name: string, args: object = {}) =>
  post(gateway, rpc('prompts/get', { name: `demo__${name}`, arguments: args }))
const code = (answer: Posted) => answer.body.error?.data?.['code']
const argument = { name: 'x', value: '' }

test.each<[string, () => Promise<Posted>]>([
  ['an address', () => read(`search:///?q=${TOKEN}`)],
  ['an address that is percent-encoded', () => read(`search:///?q=use%20${TOKEN}%20now`)],
  ['the name of a prompt', () => get(`say ${TOKEN}`)],
  [
    'the address that a completion is of',
    () =>
      post(
        gateway,
        rpc('completion/complete', { ref: { type: 'ref/resource', uri: `agentopia:demo/${TOKEN}` }, argument }),
      ),
  ],
])('M10 %s leads to one thing: with a secret in it, it is not sent, and not on record either', async (_, ask) => {
  await share()
  expect(code(await ask())).toBe('secret-blocked')
  expect(gateway.dtma.seen).toEqual([])
  const [call] = await gateway.calls()
  expect(call).toMatchObject({ outcome: 'denied', code: 'secret-blocked', secretsSeen: ['arguments:github-token'] })
  expect(JSON.stringify(call)).not.toContain(TOKEN)
  expect(await activity()).toHaveLength(1)
})

test('M10 an address with a secret of the agent itself is not sent, in whatever form, whatever the account says', async () => {
  await give({ apiKey: OWN, pin: NUMBER })
  await decide('off')
  await share()
  const forms = [
    encodeURIComponent(OWN),
    Buffer.from(`>${OWN}<`).toString('base64url'),
    `pin%3D${NUMBER}`,
    '%31234567%38',
  ]
  for (const form of forms) {
    expect(code(await read(`search:///${form}`))).toBe('secret-blocked')
    expect((await gateway.calls())[0]).toMatchObject({ secretsSeen: ['arguments:own-secret'] })
    expect(JSON.stringify(await gateway.calls())).not.toContain(form)
  }
  expect(gateway.dtma.seen).toEqual([])
  expect((await read(`search:///?q=${TOKEN}`)).body.result).toBeDefined()
})

const subscribe = (address: string) => post(gateway, rpc('resources/subscribe', { uri: `agentopia:demo/${address}` }))
const MODERN_HEADERS = { 'mcp-protocol-version': MODERN, accept: 'application/json, text/event-stream' }
/** What the first words on the stream are of a client of the modern revision that follows these addresses. */
async function followed(...addresses: string[]): Promise<string> {
  const uris = addresses.map((address) => `agentopia:demo/${address}`)
  const _meta = { [META_KEY.protocolVersion]: MODERN, [META_KEY.clientCapabilities]: {} }
  const left = new AbortController()
  const answer = await fetch(gateway.url, {
    method: 'POST',
    headers: {
      ...MODERN_HEADERS,
      authorization: `Bearer ${gateway.secret}`,
      'content-type': 'application/json',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify(rpc('subscriptions/listen', { notifications: { resourceSubscriptions: uris }, _meta })),
    signal: left.signal,
  })
  const { value } = await answer.body!.getReader().read()
  left.abort()
  return new TextDecoder().decode(value)
}

test('M10 an address with a secret is not followed, as it is not read', async () => {
  await give({ apiKey: OWN, pin: NUMBER })
  await share()
  for (const address of [`x:${TOKEN}`, `x:%67%68%70_${TOKEN.slice(4)}`, `x:${encodeURIComponent(OWN)}`]) {
    expect(code(await subscribe(address))).toBe('secret-blocked')
    expect(await followed('file:///a', address)).toContain('secret-blocked')
  }
  expect(gateway.dtma.seen).toEqual([])
  const found = await activity()
  expect(found).toHaveLength(2)
  expect(found.join()).toContain('Refused what must not go through a request of helper to demo__resources/subscribe')
  for (const secret of [TOKEN, OWN]) expect(found.join()).not.toContain(secret)

  expect((await subscribe('file:///a')).body.result).toEqual({})
  expect(await followed('file:///a')).toContain('notifications/subscriptions/acknowledged')
  await decide('off')
  await vi.waitFor(async () => expect((await subscribe(`x:${TOKEN}`)).body.result).toEqual({}))
  expect(code(await subscribe(`x:${encodeURIComponent(OWN)}`))).toBe('secret-blocked')
})

test('M10 from the arguments of a prompt secrets are taken out, as from those of a capability', async () => {
  await share()
  expect((await get('echo', { text: `use ${TOKEN}` })).body.result['content']).toEqual([
    { type: 'text', text: 'use [redacted: github-token]' },
  ])
  expect(JSON.stringify(gateway.dtma.seen)).not.toContain(TOKEN)
})

const long = `file:///${'a'.repeat(400)}`

test.each<[string, () => Promise<Posted>, object]>([
  ['a resource', () => read(long), { uri: long }],
  ['a prompt', () => get('echo', { text: 'x' }), { name: 'echo', arguments: { text: 'x' } }],
  [
    'a completion',
    () => post(gateway, rpc('completion/complete', { ref: { type: 'ref/prompt', name: 'demo__echo' }, argument })),
    { ref: { type: 'ref/prompt', name: 'echo' }, argument },
  ],
])('of %s all that is sent is on record: its digest and its length', async (_, ask, sent) => {
  await share()
  expect((await ask()).body.result).toBeDefined()
  const { _meta, ...params } = gateway.dtma.seen[0]!.request.params!
  expect(params).toEqual(sent)
  expect((await gateway.calls())[0]).toMatchObject({
    outcome: 'ok',
    argumentDigest: digestOf(JSON.stringify(sent)),
    argumentBytes: Buffer.byteLength(JSON.stringify(sent)),
  })
})

test.each<[string, () => Promise<Posted>]>([
  ['an address', () => read(long)],
  ['the name of a prompt', () => get('a'.repeat(400))],
])('%s that is longer than the arguments of the agent may be is refused before the call', async (_, ask) => {
  await share()
  await gateway.store.system((tx) => tx.update(agents).set({ limits: { argumentBytes: 300 } }))
  expect(code(await ask())).toBe('payload-too-large')
  expect(gateway.dtma.seen).toEqual([])
})
