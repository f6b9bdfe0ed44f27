import { ToolSpec } from '../contract/tool.ts'
import type { CreateBody, ImageDetails } from '../engine/docker.types.ts'
import { type ContainerInput, createBody } from './create-body.ts'

/** An image of one command. */
export const image = (config: Partial<ImageDetails['Config']> = {}): ImageDetails => ({
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

/** The container of a tool of this spec, as far as it says anything. */
export const bodyOf = (spec: object, rest: Partial<ContainerInput> = {}): CreateBody =>
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

/** A spec with something in every object. */
export const RIGHT = {
  package: { type: 'npm', name: 'server', version: '1.0.0', needs: ['chromium'] },
  transport: { type: 'http', port: 3000 },
  egress: [{ host: 'api.example.com', port: 443 }],
  state: { path: '/data' },
  resources: { memoryMib: 256, cpus: 1, pids: 64 },
  secrets: [{ name: 'key', env: 'API_TOKEN' }],
}
