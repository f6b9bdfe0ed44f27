import { expect, test } from 'vitest'
import { ContainerDetails, ImageDetails } from '../engine/docker.types.ts'
import { successorOf, switcherOf } from './own-container.ts'

const image = ImageDetails.parse({
  Id: 'sha256:old',
  RepoTags: [],
  RepoDigests: [],
  Config: {
    Entrypoint: ['node', '/opt/dtma/dtma.cjs'],
    Cmd: null,
    Env: ['PATH=/usr/bin', 'NODE_VERSION=24.1.0'],
    Labels: { 'agentopia.dtma.version': '1.0.0' },
  },
})
const HostConfig = {
  NetworkMode: 'host',
  Binds: ['/var/run/docker.sock:/var/run/docker.sock', '/var/lib/agentopia/dtma:/var/lib/dtma'],
  GroupAdd: ['998'],
  RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  ReadonlyRootfs: true,
}
const details = (config: object = {}) =>
  ContainerDetails.parse({
    Id: 'c1',
    Name: '/agentopia-dtma-toolbox_a',
    Image: 'sha256:old',
    State: { Status: 'running', Running: true },
    Config: {
      Image: 'sha256:old',
      Hostname: 'my-machine',
      User: '1000:1000',
      Env: ['TOOLBOX_ID=toolbox_a', 'DTMA_BEARER_TOKEN=secret-secret-secret', 'PATH=/usr/bin', 'NODE_VERSION=24.1.0'],
      Entrypoint: ['node', '/opt/dtma/dtma.cjs'],
      Cmd: null,
      Labels: {
        'agentopia.toolbox': 'toolbox_a',
        'agentopia.image': 'sha256:old',
        'agentopia.dtma.version': '1.0.0',
      },
      StopTimeout: 20,
      ...config,
    },
    HostConfig,
    Mounts: [],
    NetworkSettings: { Networks: {} },
  })

test('the successor has what its installer gave it, and what the new image gives it', () => {
  expect(successorOf({ container: details(), image }, 'sha256:new', 'attempt-1')).toEqual({
    Image: 'sha256:new',
    User: '1000:1000',
    Env: ['TOOLBOX_ID=toolbox_a', 'DTMA_BEARER_TOKEN=secret-secret-secret'],
    Labels: { 'agentopia.toolbox': 'toolbox_a', 'agentopia.image': 'sha256:new', 'dtma.update': 'attempt-1' },
    StopTimeout: 20,
    HostConfig,
  })
})

test('a command of the installer’s own stays', () => {
  const container = details({ Entrypoint: ['node', '--inspect', '/opt/dtma/dtma.cjs'] })
  expect(successorOf({ container, image }, 'sha256:new', 'a')).toMatchObject({
    Entrypoint: ['node', '--inspect', '/opt/dtma/dtma.cjs'],
  })
})

test('an update after an update carries one label of it', () => {
  const container = details({ Labels: { 'dtma.update': 'before' } })
  expect(successorOf({ container, image }, 'sha256:new', 'now').Labels).toEqual({ 'dtma.update': 'now' })
})

test('the switcher runs the image that is known to work, with no network and no secret', () => {
  const switcher = switcherOf({ container: details({ Env: ['DTMA_BEARER_TOKEN=x', 'LOG_LEVEL=debug'] }), image }, 'o')
  expect(switcher).toMatchObject({
    Image: 'sha256:old',
    Cmd: ['switch'],
    Env: ['LOG_LEVEL=debug'],
    Labels: { 'dtma.owner': 'o' },
    HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], ReadonlyRootfs: true, Binds: HostConfig.Binds },
  })
  expect(switcher).not.toHaveProperty('Entrypoint')
})
