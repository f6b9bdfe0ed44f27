import { expect, test } from 'vitest'
import { ConfigError, parseConfig } from './config.ts'

const linesOf = (env: Record<string, string>): string[] => {
  try {
    parseConfig(env, false)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message.split('\n')
  }
  throw new Error('it was accepted')
}

test('with nothing set, DTMA listens on 30000: everywhere in a container, on loopback elsewhere', () => {
  expect(parseConfig({}, true).http).toEqual({ host: '0.0.0.0', port: 30_000, plain: false })
  expect(parseConfig({}, false)).toEqual({
    http: { host: '127.0.0.1', port: 30_000, plain: true },
    docker: { socketPath: '/var/run/docker.sock', runnerImage: undefined, pythonImage: undefined },
    indexes: { npm: undefined, pypi: undefined },
    stateDirectory: '/var/lib/dtma',
    uplink: undefined,
    apiKey: undefined,
    logLevel: 'info',
  })
})

test('every wrong variable gets one line, at once, without its value', () => {
  const lines = linesOf({
    PORT: 'eighty',
    LOG_LEVEL: 'loud',
    DTMA_BEARER_TOKEN: 'short-secret',
    DOCKER_HOST: 'tcp://10.0.0.1:2375',
    AGENTOPIA_API_BASE_URL: 'ftp://x',
  })
  expect(lines.map((line) => line.split(':')[0]).sort()).toEqual(
    ['AGENTOPIA_API_BASE_URL', 'DOCKER_HOST', 'DTMA_BEARER_TOKEN', 'LOG_LEVEL', 'PORT'].sort(),
  )
  expect(lines.join()).not.toMatch(/eighty|loud|short-secret|10\.0\.0\.1|ftp/)
  expect(lines.join()).not.toMatch(/Invalid input(?:,|$)/)
})

test('what is useless without another variable says which one', () => {
  expect(linesOf({ ENROLMENT_TOKEN: 'x'.repeat(32) })).toEqual(['TOOLBOX_ID: is needed when ENROLMENT_TOKEN is set'])
  expect(linesOf({ TOOLBOX_ID: 'a', ENROLMENT_TOKEN_FILE: '/x' })).toEqual([
    'AGENTOPIA_API_BASE_URL: is needed when TOOLBOX_ID is set',
  ])
})

test('an empty variable counts as not set, and the origin loses its slash', () => {
  const { uplink, http } = parseConfig({ PORT: '', HOST: ' ', AGENTOPIA_API_BASE_URL: 'https://cp.example/' }, true)
  expect(http).toEqual({ host: '0.0.0.0', port: 30_000, plain: false })
  expect(uplink?.baseUrl).toBe('https://cp.example')
})

test('what may be read on the way is answered only on the machine itself, unless that is asked for', () => {
  const isPlain = (env: Record<string, string>, inContainer = true) => parseConfig(env, inContainer).http.plain
  expect(isPlain({})).toBe(false)
  for (const HOST of ['0.0.0.0', '::', '10.0.0.7', 'toolbox.example'])
    expect(isPlain({ HOST }, false), HOST).toBe(false)
  for (const HOST of ['127.0.0.1', '::1', 'localhost']) expect(isPlain({ HOST }), HOST).toBe(true)
  expect(isPlain({ HOST: '127.0.0.1', DTMA_ROAD: 'direct' })).toBe(false)
  expect(isPlain({ DTMA_PLAIN_HTTP: 'on' })).toBe(true)
  expect(isPlain({ DTMA_PLAIN_HTTP: 'on', DTMA_ROAD: 'direct' })).toBe(true)
  expect(isPlain({ HOST: '127.0.0.1', DTMA_PLAIN_HTTP: 'off' })).toBe(false)
})

test('an index of packages holds no password: it is written into images', () => {
  const index = 'https://user:secret-of-mine@index.example/simple'
  expect(() => parseConfig({ DTMA_PYPI_INDEX: index }, false)).toThrow(
    'DTMA_PYPI_INDEX: must hold no user and no password',
  )
  expect(parseConfig({ DTMA_PYPI_INDEX: 'http://10.0.0.1:8080/simple' }, false).indexes.pypi).toContain('10.0.0.1')
})
