import { expect, test } from 'vitest'
import type { ContainerDetails } from './docker.ts'
import { createBody, type DtmaRecipe, LABELS, machineOf, userFor } from './dtma-container.ts'

const recipe: DtmaRecipe = {
  toolboxId: 'toolbox_a',
  imageId: 'sha256:1',
  home: '/data',
  stateDir: '/data/dtma',
  socketPath: '/run/docker.sock',
  user: { user: '1000:1000', groups: ['998'] },
  apiBaseUrl: 'http://127.0.0.1:3000',
  port: 30000,
}
const digestOf = (over: Partial<DtmaRecipe>) => createBody({ ...recipe, ...over }).Labels[LABELS.recipe]

test('the container is on the network of the machine, may use Docker, keeps its state, and is hardened', () => {
  expect(createBody(recipe)).toMatchObject({
    Image: 'sha256:1',
    User: '1000:1000',
    Env: expect.arrayContaining([
      'TOOLBOX_ID=toolbox_a',
      'HOST=127.0.0.1',
      'PORT=30000',
      'AGENTOPIA_API_BASE_URL=http://127.0.0.1:3000',
    ]),
    Labels: { 'agentopia.toolbox': 'toolbox_a', 'agentopia.image': 'sha256:1', 'agentopia.home': '/data' },
    HostConfig: {
      NetworkMode: 'host',
      GroupAdd: ['998'],
      Binds: ['/run/docker.sock:/var/run/docker.sock', '/data/dtma:/var/lib/dtma'],
      RestartPolicy: { Name: 'always' },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
    },
  })
})

test('the enrolment token is named by its file alone', () => {
  const text = JSON.stringify(createBody(recipe))
  expect(text).toContain('ENROLMENT_TOKEN_FILE=/var/lib/dtma/enrolment-token')
  expect(text).not.toMatch(/TOKEN=/)
})

test('whatever changes the container changes its recipe, and nothing else does', () => {
  expect(digestOf({})).toBe(digestOf({}))
  const changes: Partial<DtmaRecipe>[] = [
    { imageId: 'sha256:2' },
    { port: 30001 },
    { apiBaseUrl: 'http://127.0.0.1:3001' },
    { user: { user: '0:0', groups: [] } },
    { stateDir: '/other/dtma' },
    { packages: { DTMA_PYPI_INDEX: 'https://index.example/simple' } },
  ]
  expect(new Set([digestOf({}), ...changes.map(digestOf)]).size).toBe(changes.length + 1)
})

test.each([
  ['the group of the socket may use it', 0o140660, { user: '1000:1000', groups: ['998'] }],
  ['only root may use it', 0o140600, { user: '0:0', groups: [] }],
  ['the group may only read it', 0o140640, { user: '0:0', groups: [] }],
])('when %s, DTMA runs accordingly', (_, mode, expected) => {
  expect(userFor({ uid: 1000, gid: 1000 }, { gid: 998, mode })).toEqual(expected)
})

const inState = (Status: string, ExitCode = 0, OOMKilled = false): ContainerDetails => ({
  Id: 'f00',
  Name: '/agentopia-dtma-toolbox_a',
  Config: { Labels: { [LABELS.recipe]: 'digest' } },
  State: {
    Status,
    ExitCode,
    OOMKilled,
    StartedAt: '2026-01-01T00:00:00Z',
    FinishedAt: '2026-01-01T00:00:00.123456789Z',
  },
})

test.each([
  ['running', inState('running'), 'running', 'is running', 'docker logs'],
  ['paused', inState('paused'), 'paused', 'is paused', 'docker unpause agentopia-dtma-toolbox_a'],
  ['restarting', inState('restarting', 1), 'creating', 'restarting after it ended with code 1', 'docker logs'],
  ['created', inState('created'), 'creating', 'in the state created', undefined],
  ['stopped', inState('exited', 0), 'stopped', 'exited with code 0', 'docker start agentopia-dtma-toolbox_a'],
  ['killed', inState('exited', 137), 'stopped', 'exited with code 137 at', 'docker start agentopia-dtma-toolbox_a'],
  ['out of memory', inState('exited', 137, true), 'stopped', 'code 137, out of memory', 'docker start'],
])('a container that is %s', (_, found, state, words, remedy) => {
  const machine = machineOf(found, 'digest')
  expect(machine).toMatchObject({ state, current: true, ref: 'agentopia-dtma-toolbox_a' })
  expect(machine.description).toContain(words)
  if (remedy) expect(machine.remedy).toContain(remedy)
  else expect(machine.remedy).toBeUndefined()
})

test('the end of a container is known to the millisecond', () => {
  expect(machineOf(inState('exited', 3), 'digest').exit).toEqual({ code: 3, at: new Date('2026-01-01T00:00:00.123Z') })
})

test('a container of another recipe is to be replaced, unless its image is gone', () => {
  expect(machineOf(inState('running'), 'newer').current).toBe(false)
  expect(machineOf(inState('running'), undefined).current).toBe(true)
})
