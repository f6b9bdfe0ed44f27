import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ToolRequest, ToolSpec } from '../contract/tool.ts'
import { SecretValues } from '../contract/tool-secret.ts'
import type { CreateBody } from '../engine/docker.types.ts'
import { bodyOf, image, RIGHT } from './create-body.testing.ts'
import { npmRecipe } from './npm-image.ts'
import type { PackageRecipe } from './package-image.ts'
import { pypiRecipe } from './pypi-image.ts'
import { secretsLine } from './tool-secrets.ts'

/** The profile, written a second time and independently: what no spec may ever obtain. */
function breachesOf(body: CreateBody): string[] {
  const host = body.HostConfig
  const rules: Record<string, boolean> = {
    user: body.User === '65532:65532',
    'no terminal': !body.Tty,
    'no healthcheck command': body.Healthcheck.Test[0] === 'NONE',
    'nothing exposed': Object.keys(body.ExposedPorts).length + Object.keys(host.PortBindings).length === 0,
    'nothing published': !host.PublishAllPorts,
    'read-only': host.ReadonlyRootfs,
    unprivileged: !host.Privileged,
    'no capabilities': host.CapDrop.join() === 'ALL' && host.CapAdd.length === 0,
    'no new privileges': host.SecurityOpt.includes('no-new-privileges:true'),
    'no loosened security': host.SecurityOpt.every((option) => !option.includes('unconfined')),
    network: host.NetworkMode === 'none' || host.NetworkMode === 'dtma-mail',
    'own namespaces': host.PidMode + host.UTSMode + host.UsernsMode === '' && host.IpcMode === 'private',
    'no host paths': host.Binds.length === 0 && host.VolumesFrom.length === 0,
    'only its own volume': host.Mounts.every((mount) => mount.Type === 'volume' && mount.Source === 'dtma-mail'),
    'no devices': host.Devices.length + host.DeviceRequests.length + host.DeviceCgroupRules.length === 0,
    memory: host.Memory > 0 && host.Memory <= 2 ** 31 && host.MemorySwap === host.Memory,
    cpu: host.NanoCpus > 0 && host.NanoCpus <= 4e9,
    pids: host.PidsLimit >= 16 && host.PidsLimit <= 256,
    'never restarts itself': host.RestartPolicy.Name === 'no',
    'bounded log': host.LogConfig.Type === 'local' && host.LogConfig.Config['max-size'] === '5m',
    'bounded tmpfs': Object.values(host.Tmpfs).every((options) => /exec,nosuid,nodev,size=(16|64)m/.test(options)),
    'shared memory': host.ShmSize === 16 * 2 ** 20 || host.ShmSize === 256 * 2 ** 20,
    'no names from outside': host.Dns.join() === (host.NetworkMode === 'none' ? '' : '127.0.0.1'),
    'no sysctls': Object.keys(host.Sysctls).length === 0,
    'our labels': body.Labels['dtma.claim'] === 'claim' && body.Labels['dtma.owner'] === 'owner',
    'no variable of the runtime': body.Env.every(
      (entry) => !/^(LD_|DYLD_|NODE_OPTIONS=|PATH=|DOCKER_|DTMA_)/.test(entry),
    ),
    'the image that was found': body.Image === image().Id,
    'a command of ours or of the image': COMMANDS.some((command) => isDeepStrictEqual(body.Entrypoint, command)),
    'no field that nobody asked for':
      isDeepStrictEqual(Object.keys(body).sort(), Object.keys(BARE).sort()) &&
      isDeepStrictEqual(Object.keys(host).sort(), Object.keys(BARE.HostConfig).sort()),
  }
  return Object.entries(rules)
    .filter(([, holds]) => !holds)
    .map(([rule]) => rule)
}

const TAKING_NPM = ['node', '--disable-warning=ExperimentalWarning', '/tool/with-secrets.mjs', '/tool/entry']
const TAKING_OCI = ['loader', '--inhibit-cache', '--library-path', 'lib', 'node'].map((word) =>
  word.startsWith('-') ? word : `/.agentopia/${word}`,
)
/** What a container may start: the command of its image, or what takes the secrets first. */
const COMMANDS: readonly (readonly string[])[] = [
  ['/server'],
  TAKING_NPM,
  ['python3', '-su', '/tool/with_secrets.py', '/tool/entry.py'],
  [...TAKING_OCI, '--disable-warning=ExperimentalWarning', '/.agentopia/with-secrets.mjs', '/server'],
]
const BARE = bodyOf({})

/** The recipe of a package: what a caller writes is in files of data alone, one thing in each. */
function breachesOfRecipe({ package: pkg }: ToolSpec): string[] {
  if (pkg.type === 'oci') return []
  const recipe = pkg.type === 'npm' ? npmRecipe(pkg, 'base') : pypiRecipe(pkg, 'base')
  const bare: PackageRecipe =
    pkg.type === 'npm'
      ? npmRecipe({ type: 'npm', name: 'a', version: '1.0.0', ...(pkg.needs ? { needs: ['chromium'] } : {}) }, 'base')
      : pypiRecipe({ type: 'pypi', name: 'a', version: '1' }, 'base')
  const data = ['package.json', 'wanted.json', 'requirements.txt']
  const changed = Object.keys(recipe.files).filter((name) => recipe.files[name] !== bare.files[name])
  const rules: Record<string, boolean> = {
    'a tag of ours': /^agentopia-tool\/[a-z0-9]+(?:-[a-z0-9]+)*:[\w][\w.-]{0,127}$/.test(recipe.tag),
    'no instruction': changed.every((name) => data.includes(name)),
    'no other file': isDeepStrictEqual(Object.keys(recipe.files), Object.keys(bare.files)),
    'one requirement':
      !('requirements.txt' in recipe.files) || /^[^\s-][^\s]*\n$/.test(recipe.files['requirements.txt']!),
  }
  return Object.entries(rules)
    .filter(([, holds]) => !holds)
    .map(([rule]) => rule)
}

/** What the container is told of its secrets: one line, that puts none into a variable of the runtime or outside of its memory. */
function breachesOfSecrets({ secrets = [] }: ToolSpec, raw: unknown): string[] {
  const parsed = SecretValues.safeParse(raw)
  // Each has a value; what else somebody sends comes beside them.
  const own = Object.fromEntries(secrets.map(({ name }) => [name, `value\n{"of": ${name}`]))
  const given = { version: '1', values: { ...(parsed.success ? parsed.data.values : {}), ...own } }
  const line = secretsLine(secrets, given)
  const { env, files } = (JSON.parse(line) as { dtmaSecrets: Record<'env' | 'files', Record<string, string>> })
    .dtmaSecrets
  const rules: Record<string, boolean> = {
    'one line': line.indexOf('\n') === line.length - 1,
    'no variable of the runtime': Object.keys(env).every(
      (name) => !/^(?:LD_|DYLD_|NODE_OPTIONS$|PATH$|DOCKER_|DTMA_|PYTHONPATH$)|[^\w]/.test(name),
    ),
    'in memory': Object.keys(files).every((path) => /^\/tmp\/[^.]/.test(path) && !/\/\.{0,2}(?:\/|$)/.test(path)),
    'each in its place': Object.keys(env).length + Object.keys(files).length === secrets.length,
    'only what was given': [...Object.values(env), ...Object.values(files)].every(
      (value) => typeof value === 'string' && Object.values(own).includes(value),
    ),
  }
  return Object.entries(rules)
    .filter(([, holds]) => !holds)
    .map(([rule]) => rule)
}

const anything = fc.jsonValue({ maxDepth: 3 })
/** Mostly right values, some half-right ones and some garbage. */
const mostly = (right: fc.Arbitrary<unknown>, halfRight: fc.Arbitrary<unknown>, weight = 1) =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight, arbitrary: halfRight }, { weight: 1, arbitrary: anything })

const SECRET_NAME = fc.oneof(fc.constantFrom('key', 'other'), fc.constantFrom('__proto__', 'constructor', 'a b'))
const SECRET_ENV = fc.oneof(fc.constantFrom('LD_PRELOAD', 'NODE_OPTIONS', 'PATH', '__proto__', 'A=B'), fc.string())
const SECRET_FILE = fc.oneof(
  fc.constantFrom('/tmp/../etc/x', '/tmp/a/../../x', '/etc/passwd', '/tmp//x', '/tmp/./x', '/tmp', 'x', '/tmp/x/'),
  fc.string().map((text) => `/tmp/${text}`),
)

/** Values for each field that a caller controls. */
const specs = fc.record(
  {
    package: mostly(
      fc.constantFrom(
        { type: 'npm', name: 'server', version: '1.0.0' },
        { type: 'npm', name: '@scope/server', version: '1.0.0', bin: 'other', needs: ['chromium'] },
        { type: 'pypi', name: 'Some.Server', version: '1.0rc1' },
        { type: 'pypi', name: 'server', version: '1.0', bin: 'other' },
        { type: 'oci', image: `r.example/x@sha256:${'b'.repeat(64)}` },
        { type: 'oci', image: 'r.example:5000/team/x:1.0' },
        { type: 'oci', image: 'x:1', archive: `sha256:${'c'.repeat(64)}` },
      ),
      fc.record(
        {
          type: fc.constantFrom('npm', 'pypi', 'oci', 'git'),
          name: fc.oneof(fc.string(), fc.constantFrom('server', '-r', 'a\n--index-url x', '../x', 'a @ http://x')),
          version: fc.oneof(fc.string(), fc.constantFrom('1.0.0', '1.0\nRUN x', 'latest', '*')),
          bin: fc.oneof(fc.string(), fc.constantFrom('../x', '-e', 'a b')),
          needs: fc.oneof(fc.array(fc.string()), fc.constantFrom([], ['chromium', 'chromium'], ['chromium; x'])),
          image: fc.oneof(fc.string(), fc.constantFrom('x', 'X:1', 'x:1 --pull', '-x:1', '../x:1')),
          archive: fc.oneof(fc.string(), fc.constantFrom('sha256:x', '/etc/passwd')),
        },
        { requiredKeys: ['type'] },
      ),
    ),
    transport: mostly(
      fc.constantFrom({ type: 'stdio' }, { type: 'http', port: 3000 }),
      fc.record({ type: fc.constant('http'), port: fc.integer(), path: fc.string() }),
    ),
    args: mostly(fc.array(fc.string()), fc.array(anything)),
    env: mostly(
      fc.constantFrom({}, { API_KEY: 'x', HOME: '/root', PATHS: '/' }),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('PATH', 'LD_PRELOAD', 'NODE_OPTIONS')), fc.string()),
    ),
    egress: mostly(
      fc.constantFrom('none', 'any', [{ host: 'api.example.com' }], [{ host: 'api.example.com', port: 22 }]),
      fc.oneof(
        fc.constantFrom('host', 'container:x', [], [{ host: '169.254.169.254' }], [{ host: 'dtma-gateway' }]),
        fc.array(fc.record({ host: fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6()), port: fc.integer() })),
      ),
    ),
    profiles: mostly(
      fc.subarray(['bigmem', 'browser', 'exec-tmp']),
      fc.array(fc.oneof(fc.string(), fc.constantFrom('privileged', 'host', '__proto__', 'constructor'))),
    ),
    secrets: mostly(
      fc.constantFrom(
        [{ name: 'key', env: 'API_TOKEN' }],
        [{ name: 'key', file: '/tmp/a/key.json', required: false }],
        [
          { name: 'key', env: 'API_TOKEN' },
          { name: 'other', file: '/tmp/other' },
        ],
      ),
      fc.array(
        fc.oneof(
          fc.record({ name: SECRET_NAME, env: SECRET_ENV }),
          fc.record({ name: SECRET_NAME, file: SECRET_FILE }),
          fc.record(
            { name: fc.string(), env: fc.string(), file: fc.string(), required: anything },
            { requiredKeys: [] },
          ),
        ),
        { minLength: 1, maxLength: 2 },
      ),
      4,
    ),
    state: mostly(
      fc.constantFrom({ path: '/data' }, { path: '/var/run/docker' }, { path: '/etc' }),
      fc.record({ path: fc.oneof(fc.string(), fc.constantFrom('/', '/../etc', '/a:/b', '/var/run/docker.sock')) }),
    ),
    resources: mostly(
      fc.constantFrom({}, { memoryMib: 2_048, cpus: 4 }, { pids: 256 }),
      fc.record({ memoryMib: fc.integer(), cpus: fc.double(), pids: fc.integer() }),
    ),
  },
  { requiredKeys: ['package', 'transport'] },
)

/** Values for the secrets of a spec. */
const values = fc.record({
  version: fc.oneof(fc.constant('1'), anything),
  values: fc.oneof(
    fc.dictionary(fc.constantFrom('key', 'other', 'unknown', '__proto__', 'constructor'), fc.string()),
    fc.constant({ key: 'a\n{"dtmaSecrets":{}}', other: '\u2028\r\n' }),
    anything,
  ),
})

test('S05: whatever a caller writes is refused, or makes a container within the profile', () => {
  let accepted = 0
  const kinds = new Map<string, number>()
  fc.assert(
    fc.property(
      specs,
      fc.array(fc.string()),
      fc.dictionary(fc.string(), fc.string()),
      values,
      (raw, volumes, labels, given) => {
        const parsed = ToolSpec.safeParse(raw)
        if (!parsed.success) return
        accepted++
        const { package: pkg, secrets } = parsed.data
        const kind = [pkg.type, ...('needs' in pkg ? ['needs'] : []), ...('archive' in pkg ? ['archive'] : [])].join(
          ' ',
        )
        kinds.set(kind, (kinds.get(kind) ?? 0) + (secrets ? 1 : 0))
        expect(breachesOf(bodyOf(parsed.data, { image: image({ Volumes: volumes, Labels: labels }) }))).toEqual([])
        expect(breachesOfRecipe(parsed.data)).toEqual([])
        expect(breachesOfSecrets(parsed.data, given)).toEqual([])
      },
    ),
    { numRuns: 10_000 },
  )
  expect(accepted).toBeGreaterThan(1_000)
  // Each with secrets, and often.
  expect(
    [...kinds]
      .filter(([, count]) => count > 50)
      .map(([kind]) => kind)
      .sort(),
  ).toEqual(['npm', 'npm needs', 'oci', 'oci archive', 'pypi'])
})

test('S05: every single field of a right spec may be replaced by garbage without leaving the profile', () => {
  const right = { package: { type: 'npm', name: 'server', version: '1.0.0' }, transport: { type: 'stdio' } }
  const packages = [
    right.package,
    { type: 'pypi', name: 'server', version: '1.0' },
    { type: 'oci', image: 'x:1' },
  ] as const
  const fields = [
    'package',
    'transport',
    'args',
    'env',
    'egress',
    'state',
    'resources',
    'profiles',
    'secrets',
    '__proto__',
    'Privileged',
  ] as const
  fc.assert(
    fc.property(fc.constantFrom(...packages), fc.constantFrom(...fields), anything, (pkg, field, value) => {
      const parsed = ToolSpec.safeParse({ ...right, package: pkg, [field]: value })
      if (parsed.success) expect(breachesOf(bodyOf(parsed.data))).toEqual([])
    }),
    { numRuns: 10_000 },
  )
  const inPackage = ['name', 'version', 'bin', 'needs', 'image', 'archive', 'type'] as const
  fc.assert(
    fc.property(fc.constantFrom(...packages), fc.constantFrom(...inPackage), anything, (pkg, field, value) => {
      const parsed = ToolSpec.safeParse({ ...right, package: { ...pkg, [field]: value } })
      if (!parsed.success) return
      expect(breachesOf(bodyOf(parsed.data))).toEqual([])
      expect(breachesOfRecipe(parsed.data)).toEqual([])
    }),
    { numRuns: 10_000 },
  )
})

/** Fields of Docker's, and of the predecessor's overrides, by which a container gets more than it should. */
const SMUGGLED = [
  ...[
    'HostConfig',
    'Privileged',
    'Binds',
    'Mounts',
    'CapAdd',
    'Devices',
    'DeviceRequests',
    'PidMode',
    'IpcMode',
    'UTSMode',
  ],
  ...['UsernsMode', 'CgroupParent', 'CgroupnsMode', 'NetworkMode', 'NetworkingConfig', 'PortBindings', 'SecurityOpt'],
  ...[
    'Sysctls',
    'VolumesFrom',
    'Runtime',
    'ExtraHosts',
    'Links',
    'GroupAdd',
    'User',
    'Entrypoint',
    'Image',
    'Labels',
    'Tmpfs',
  ],
  ...[
    'LogConfig',
    'RestartPolicy',
    'OomScoreAdj',
    'Ulimits',
    'Dns',
    'MaskedPaths',
    'ReadonlyPaths',
    'StorageOpt',
    'Init',
  ],
  ...['baseConfigOverrideJson', 'image', 'volumes', 'command', 'user', 'privileged', 'network', 'ports', 'cap_add'],
] as const

type Place = (smuggled: object) => object
const PLACES: readonly Place[] = [
  (more) => ({ ...RIGHT, ...more }),
  (more) => ({ ...RIGHT, package: { ...RIGHT.package, ...more } }),
  (more) => ({ ...RIGHT, transport: { ...RIGHT.transport, ...more } }),
  (more) => ({ ...RIGHT, egress: [{ ...RIGHT.egress[0], ...more }] }),
  (more) => ({ ...RIGHT, state: { ...RIGHT.state, ...more } }),
  (more) => ({ ...RIGHT, resources: { ...RIGHT.resources, ...more } }),
  (more) => ({ ...RIGHT, secrets: [{ ...RIGHT.secrets[0], ...more }] }),
  (more) => ({ ...RIGHT, package: { type: 'pypi', name: 'server', version: '1.0', ...more } }),
  // An image has `image`: that one goes elsewhere.
  (more) =>
    'image' in more
      ? { ...RIGHT, ...more }
      : { ...RIGHT, package: { type: 'oci', image: 'x:1', archive: `sha256:${'c'.repeat(64)}`, ...more } },
]

test('S05: a field of Docker is refused in every object of a request, to create as to change', () => {
  expect(ToolRequest.safeParse({ generation: 1, spec: RIGHT }).success).toBe(true)
  fc.assert(
    fc.property(fc.constantFrom(...SMUGGLED), fc.constantFrom(...PLACES), anything, (field, place, value) => {
      const spec = place({ [field]: value })
      expect(ToolSpec.safeParse(spec).success).toBe(false)
      expect(ToolRequest.safeParse({ generation: 2, spec }).success).toBe(false)
      expect(ToolRequest.safeParse({ generation: 2, spec: RIGHT, [field]: value }).success).toBe(false)
    }),
    { numRuns: 10_000 },
  )
})
