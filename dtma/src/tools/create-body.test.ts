import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ToolName, ToolRequest, ToolSpec } from '../contract/tool.ts'
import type { CreateBody, ImageDetails } from '../engine/docker.types.ts'
import { type ContainerInput, createBody } from './create-body.ts'

const image = (config: Partial<ImageDetails['Config']> = {}): ImageDetails => ({
  Id: `sha256:${'a'.repeat(64)}`,
  RepoTags: [],
  RepoDigests: [],
  Size: 1,
  Config: {
    Entrypoint: ['/server'],
    Cmd: [],
    Env: [],
    WorkingDir: '',
    Labels: {},
    Volumes: [],
    ExposedPorts: [],
    ...config,
  },
})

const bodyOf = (spec: object, rest: Partial<ContainerInput> = {}): CreateBody =>
  createBody({
    name: 'mail',
    generation: 3,
    spec: ToolSpec.parse({
      package: { type: 'npm', name: 'server', version: '1.0.0' },
      transport: { type: 'stdio' },
      ...spec,
    }),
    owner: 'owner',
    claim: 'claim',
    image: image(),
    engine: { NCPU: 8, SecurityOptions: [] },
    ...rest,
  })

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
  }
  return Object.entries(rules)
    .filter(([, holds]) => !holds)
    .map(([rule]) => rule)
}

const anything = fc.jsonValue({ maxDepth: 3 })
/** Mostly right values, some half-right ones and some garbage. */
const mostly = (right: fc.Arbitrary<unknown>, halfRight: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: halfRight }, { weight: 1, arbitrary: anything })

/** Values for each field that a caller controls. */
const specs = fc.record(
  {
    package: mostly(
      fc.constantFrom(
        { type: 'npm', name: 'server', version: '1.0.0' },
        { type: 'oci', image: `r.example/x@sha256:${'b'.repeat(64)}` },
      ),
      fc.record({ type: fc.constant('npm'), name: fc.string(), version: fc.string() }),
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

test('S05: whatever a caller writes is refused, or makes a container within the profile', () => {
  let accepted = 0
  fc.assert(
    fc.property(specs, fc.array(fc.string()), fc.dictionary(fc.string(), fc.string()), (raw, volumes, labels) => {
      const parsed = ToolSpec.safeParse(raw)
      if (!parsed.success) return
      accepted++
      expect(breachesOf(bodyOf(parsed.data, { image: image({ Volumes: volumes, Labels: labels }) }))).toEqual([])
    }),
    { numRuns: 10_000 },
  )
  expect(accepted).toBeGreaterThan(1_000)
})

test('S05: every single field of a right spec may be replaced by garbage without leaving the profile', () => {
  const right = { package: { type: 'npm', name: 'server', version: '1.0.0' }, transport: { type: 'stdio' } }
  const fields = [
    'package',
    'transport',
    'args',
    'env',
    'egress',
    'state',
    'resources',
    'profiles',
    '__proto__',
    'Privileged',
  ] as const
  fc.assert(
    fc.property(fc.constantFrom(...fields), anything, (field, value) => {
      const parsed = ToolSpec.safeParse({ ...right, [field]: value })
      if (parsed.success) expect(breachesOf(bodyOf(parsed.data))).toEqual([])
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

const RIGHT = {
  package: { type: 'npm', name: 'server', version: '1.0.0' },
  transport: { type: 'http', port: 3000 },
  egress: [{ host: 'api.example.com', port: 443 }],
  state: { path: '/data' },
  resources: { memoryMib: 256, cpus: 1, pids: 64 },
}
type Place = (smuggled: object) => object
const PLACES: readonly Place[] = [
  (more) => ({ ...RIGHT, ...more }),
  (more) => ({ ...RIGHT, package: { ...RIGHT.package, ...more } }),
  (more) => ({ ...RIGHT, transport: { ...RIGHT.transport, ...more } }),
  (more) => ({ ...RIGHT, egress: [{ ...RIGHT.egress[0], ...more }] }),
  (more) => ({ ...RIGHT, state: { ...RIGHT.state, ...more } }),
  (more) => ({ ...RIGHT, resources: { ...RIGHT.resources, ...more } }),
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

test("S04: no path leads to the socket of Docker: what is mounted is the tool's own volume, wherever it says", () => {
  for (const path of ['/var/run/docker', '/run', '/proc/1/root/run', '/var/run']) {
    const { success, data } = ToolSpec.safeParse({ ...RIGHT, state: { path } })
    const { Binds, Mounts } = success ? bodyOf(data).HostConfig : { Binds: [], Mounts: [] }
    expect(Binds).toEqual([])
    for (const mount of Mounts)
      expect(mount).toEqual({
        Type: 'volume',
        Source: 'dtma-mail',
        Target: path,
        ReadOnly: false,
        VolumeOptions: { NoCopy: true },
      })
  }
  for (const path of ['/', '/var/run/docker.sock', '/a:/b', '../x', '/a/../b', 'x'])
    expect(ToolSpec.safeParse({ ...RIGHT, state: { path } }).success, path).toBe(false)
})

test('S06: variables and labels that would change the runtime, Docker or DTMA are refused', () => {
  const names = [
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'DYLD_INSERT_LIBRARIES',
    'DOCKER_HOST',
    'DTMA_STATE_DIR',
    'NODE_OPTIONS',
  ]
  for (const name of [...names, 'PATH', 'PYTHONPATH', 'NODE_EXTRA_CA_CERTS', 'A=B', 'A B', '1A', ''])
    expect(ToolSpec.safeParse({ ...RIGHT, env: { [name]: 'x' } }).success, name).toBe(false)
  expect(ToolSpec.safeParse({ ...RIGHT, labels: { 'dtma.owner': 'x' } }).success).toBe(false)
  for (const name of ['../x', 'A', '-x', 'a/b', 'a.b', '', 'x'.repeat(64)])
    expect(ToolName.safeParse(name).success, name).toBe(false)
})

test('what goes beyond the strict profile must be asked for by name, and gives no more than it says', () => {
  const accepts = (spec: object) => ToolSpec.safeParse({ ...RIGHT, ...spec }).success
  expect(accepts({ resources: { memoryMib: 513 } })).toBe(false)
  expect(accepts({ resources: { memoryMib: 2_048 }, profiles: ['bigmem'] })).toBe(true)
  expect(accepts({ resources: { memoryMib: 1_025 }, profiles: ['browser'] })).toBe(false)
  expect(accepts({ resources: { pids: 129 }, profiles: ['bigmem', 'exec-tmp'] })).toBe(false)
  expect(accepts({ resources: { pids: 256 }, profiles: ['browser'] })).toBe(true)

  const strict = bodyOf({}).HostConfig
  const beyond = (profile: string) => {
    const { HostConfig } = bodyOf({ profiles: [profile] })
    return Object.fromEntries(
      Object.entries(HostConfig).filter(
        ([key, value]) => !isDeepStrictEqual(value, strict[key as keyof typeof strict]),
      ),
    )
  }
  expect(beyond('bigmem')).toEqual({})
  expect(beyond('browser')).toEqual({ ShmSize: 256 * 1024 * 1024 })
  expect(beyond('exec-tmp')).toEqual({ Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,size=64m,mode=1777' } })
})

test('a stdio tool without egress has no network, an HTTP tool its own one', () => {
  const http = { transport: { type: 'http', port: 3000 } }
  expect(bodyOf({}).HostConfig.NetworkMode).toBe('none')
  expect(bodyOf({ egress: 'any' }).HostConfig.NetworkMode).toBe('dtma-mail')
  expect(bodyOf(http).HostConfig.NetworkMode).toBe('dtma-mail')
})

test('S08: volumes of the image become small tmpfs mounts, except where the state lies', () => {
  const { Tmpfs, Mounts } = bodyOf(
    { state: { path: '/data' } },
    { image: image({ Volumes: ['/data', '/cache'] }) },
  ).HostConfig
  expect(Object.keys(Tmpfs).sort()).toEqual(['/cache', '/tmp'])
  expect(Mounts).toMatchObject([{ Type: 'volume', Source: 'dtma-mail', Target: '/data', ReadOnly: false }])
})

test('S08: what the image has where the state lies is not copied onto it: its owner would come along', () => {
  const [mount] = bodyOf({ state: { path: '/data' } }).HostConfig.Mounts
  expect(mount).toMatchObject({ VolumeOptions: { NoCopy: true } })
})

test('S07: labels of ours that an image brings are overwritten, also those that we do not use', () => {
  const labels = { 'dtma.claim': 'stolen', 'dtma.other': 'x', 'agentopia.y': 'z', maintainer: 'somebody' }
  const made = bodyOf({}, { image: image({ Labels: labels }) }).Labels
  expect(made).toMatchObject({ 'dtma.claim': 'claim', 'dtma.other': '', 'agentopia.y': '' })
  expect(made).not.toHaveProperty('maintainer')
})

test('AppArmor is asked for only where the engine has it', () => {
  const engine = { NCPU: 2, SecurityOptions: ['name=seccomp,profile=default', 'name=apparmor'] }
  expect(bodyOf({}, { engine }).HostConfig.SecurityOpt).toEqual(['no-new-privileges:true', 'apparmor=docker-default'])
  expect(bodyOf({}).HostConfig.SecurityOpt).toEqual(['no-new-privileges:true'])
})

test('more CPUs than the machine has are cut to what it has', () => {
  const body = bodyOf({ resources: { cpus: 4 } }, { engine: { NCPU: 2, SecurityOptions: [] } })
  expect(body.HostConfig.NanoCpus).toBe(2e9)
})

test('arguments replace the command of the image, never its entry point', () => {
  const withCommand = image({ Entrypoint: ['/server'], Cmd: ['--default'] })
  expect(bodyOf({}, { image: withCommand })).toMatchObject({ Entrypoint: ['/server'], Cmd: ['--default'] })
  expect(bodyOf({ args: ['--mine'] }, { image: withCommand })).toMatchObject({
    Entrypoint: ['/server'],
    Cmd: ['--mine'],
  })
})
