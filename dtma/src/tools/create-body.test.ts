import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { ToolName, ToolSpec } from '../contract/tool.ts'
import { bodyOf, image, RIGHT } from './create-body.testing.ts'

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
