import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig } from './config.ts'

test('nothing set gives a control plane on loopback with an embedded database', () => {
  const config = parseConfig({})
  expect(config.http).toMatchObject({ host: '127.0.0.1', port: 3000 })
  expect(config.http.publicUrl).toBeUndefined()
  expect(config.store.databaseUrl).toBeUndefined()
  expect(config.local).toMatchObject({ enabled: true, dtmaPort: 30_000, image: 'agentopia-dtma:latest' })
})

test('every wrong variable is named on a line of its own, and no value is shown', () => {
  const wrong = {
    PORT: 'eighty-secret',
    PUBLIC_URL: 'https://secret.example/path',
    TRUST_PROXY: 'secret',
    DATABASE_URL: 'mysql://user:secret@db/x',
    MASTER_KEY: 'secret',
    OTHER_MASTER_KEY: 'secret',
    LOCAL_TOOLBOX: 'secret',
    LOG_LEVEL: 'secret',
  }
  const refuse = () => parseConfig(wrong)
  expect(refuse).toThrow(expect.objectContaining({ exitCode: 78 }))
  const message = messageOf(refuse)
  expect(message.split('\n').map((line) => line.split(':')[0])).toEqual(Object.keys(wrong))
  expect(message).not.toContain('secret')
})

test('an empty variable counts as not set', () => {
  expect(parseConfig({ PORT: '', MASTER_KEY: '' }).http.port).toBe(3000)
})

test('a master key and others are 32 bytes each', () => {
  const [one, other, third] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]
  const [text, otherText, thirdText] = [one, other, third].map((key) => key.toString('base64'))
  const config = parseConfig({ MASTER_KEY: text, OTHER_MASTER_KEY: otherText })
  expect([config.masterKey, config.otherMasterKeys]).toEqual([one, [other]])
  expect(parseConfig({ OTHER_MASTER_KEY: `${otherText}, ${thirdText}` }).otherMasterKeys).toEqual([other, third])
  expect(parseConfig({}).otherMasterKeys).toEqual([])
  expect(() => parseConfig({ OTHER_MASTER_KEY: `${otherText},` })).toThrow('OTHER_MASTER_KEY: must be')
})

test('the public address is an origin, whatever slash it was given with', () => {
  expect(parseConfig({ PUBLIC_URL: 'https://tools.example.com/' }).http.publicUrl).toBe('https://tools.example.com')
})

test('one of several control planes needs what they share, and has no toolbox of its own', () => {
  const shared = {
    DATABASE_URL: 'postgres://db/x',
    MASTER_KEY: Buffer.alloc(32).toString('base64'),
    PUBLIC_URL: 'https://x.example',
  }
  const one = { ...shared, REPLICA_ADDRESS: '10.0.0.1:3001', LOCAL_TOOLBOX: 'off' }
  expect(parseConfig(one)).toMatchObject({ replicaAddress: '10.0.0.1:3001', store: { isShared: true } })
  for (const name of Object.keys(shared))
    expect(() => parseConfig({ ...one, [name]: '' })).toThrow(`${name}: is needed`)
  expect(() => parseConfig({ ...one, LOCAL_TOOLBOX: 'on' })).toThrow('LOCAL_TOOLBOX: must be off')
  expect(() => parseConfig({ ...one, REPLICA_ADDRESS: '10.0.0.1' })).toThrow('must be host:port')
  expect(parseConfig(shared)).toMatchObject({ store: { isShared: false } })
})

test('no proxy is trusted unless it is said', () => {
  expect(parseConfig({}).http.trustedProxies).toBe(0)
  expect(parseConfig({ TRUST_PROXY: '2' }).http.trustedProxies).toBe(2)
})

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

test('toolboxes take packages from where it is safe to take them from', () => {
  const packagesOf = (NPM_REGISTRY: string) => parseConfig({ NPM_REGISTRY }).machines.packages
  for (const address of ['https://npm.example', 'http://localhost:4873', 'http://10.0.0.5:4873', 'http://[::1]:80'])
    expect(packagesOf(address)).toEqual({ npm: address })
  for (const address of ['http://npm.example', 'http://8.8.8.8', 'http://npm.internal'])
    expect(() => packagesOf(address)).toThrow('NPM_REGISTRY: must be https, or http at a loopback or private address')
})

test('where DTMA comes from: each setting with what belongs to it, and no secret in an address', () => {
  const commit = 'c'.repeat(40)
  const registry = { DTMA_REGISTRY_IMAGE: 'registry.example/dtma:1' }
  expect(parseConfig({ ...registry, DTMA_REGISTRY_USER: 'u', DTMA_REGISTRY_PASSWORD: 'p' }).machines.registry).toEqual({
    image: 'registry.example/dtma:1',
    login: { user: 'u', password: 'p' },
  })
  const source = { DTMA_SOURCE_URL: 'https://git.example/a.git', DTMA_SOURCE_COMMIT: commit }
  expect(parseConfig(source).machines.source).toEqual({ url: 'https://git.example/a.git', commit })
  for (const [env, words] of [
    [{ ...registry, DTMA_REGISTRY_USER: 'u' }, 'DTMA_REGISTRY_PASSWORD: is needed'],
    [{ DTMA_REGISTRY_USER: 'u', DTMA_REGISTRY_PASSWORD: 'p' }, 'DTMA_REGISTRY_IMAGE: is needed'],
    [{ DTMA_REGISTRY_IMAGE: 'dtma' }, 'DTMA_REGISTRY_IMAGE: must be'],
    [{ DTMA_SOURCE_URL: source.DTMA_SOURCE_URL }, 'DTMA_SOURCE_COMMIT: is needed'],
    [{ ...source, DTMA_SOURCE_COMMIT: 'main' }, 'DTMA_SOURCE_COMMIT: must be'],
    [{ ...source, DTMA_SOURCE_URL: 'https://me:canary@git.example/a.git' }, 'DTMA_SOURCE_URL: must hold no password'],
  ] as const)
    expect(() => parseConfig(env)).toThrow(expect.objectContaining({ message: expect.stringContaining(words) }))
})

const signOnEnv = { OIDC_ISSUER: 'https://login.example.com', OIDC_CLIENT_ID: 'toolboxes' }

test('single sign-on is off unless it is configured, and reads its secret from a file', () => {
  expect(parseConfig({}).signOn).toBeUndefined()
  const directory = mkdtempSync(join(tmpdir(), 'agentopia-config-'))
  try {
    writeFileSync(join(directory, 'secret'), 'not-a-real-secret\n')
    const file = { OIDC_CLIENT_SECRET_FILE: join(directory, 'secret'), OIDC_DOMAINS: 'Example.com,example.org' }
    expect(parseConfig({ ...signOnEnv, ...file }).signOn).toEqual({
      issuer: signOnEnv.OIDC_ISSUER,
      clientId: 'toolboxes',
      clientSecret: 'not-a-real-secret',
      domains: ['example.com', 'example.org'],
      role: 'viewer',
      label: 'single sign-on',
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('single sign-on takes plain http from this machine alone, nobody in as an owner, and no secret that is not there', () => {
  const local = { ...signOnEnv, OIDC_ISSUER: 'http://127.0.0.1:9000' }
  expect(parseConfig(local).signOn?.issuer).toBe('http://127.0.0.1:9000')
  for (const [wrong, line] of [
    [{ OIDC_ISSUER: 'http://login.example.com' }, /^OIDC_ISSUER: /],
    [{ OIDC_ISSUER: 'https://user:pass@login.example.com' }, /^OIDC_ISSUER: /],
    [{ OIDC_ROLE: 'owner' }, /^OIDC_ROLE: /],
    [{ OIDC_CLIENT_SECRET_FILE: '/nowhere/at/all' }, /^OIDC_CLIENT_SECRET_FILE: /],
    [{ OIDC_CLIENT_ID: '' }, /^OIDC_CLIENT_ID: is needed/],
  ] as const)
    expect(() => parseConfig({ ...signOnEnv, ...wrong })).toThrow(line)
})
