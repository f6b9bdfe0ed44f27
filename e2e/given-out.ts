import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { docker } from './docker.ts'

/** What a control plane gives out as the newest DTMA: that of this machine until another is given. */
interface GivenOut extends AsyncDisposable {
  /** The same DTMA, which says that it is a later one. @param instead Another program, which says that it is that one. */
  giveOut(version: string, instead?: string): Promise<void>
}

/** A DTMA that ends at its start. */
export const BROKEN = 'process.exit(3)\n'

const IMAGE = process.env['DTMA_IMAGE'] ?? 'agentopia-dtma:latest'
const SAYS = /version: "\d+\.\d+\.\d+"/

/** For toolboxes on which DTMA is a container. */
export interface OwnImage extends GivenOut {
  /** For `DTMA_IMAGE`. */
  readonly name: string
}

/** @param name Of an image that is nobody else's; one of that name that was left is taken away first. */
export async function ownImage(name: string): Promise<OwnImage> {
  const label = `agentopia.e2e=${name}`
  const folder = await mkdtemp(join(tmpdir(), 'agentopia-given-out-'))
  await removeImages()
  await docker('tag', IMAGE, name)

  async function removeImages(): Promise<void> {
    const made = await docker('images', '--quiet', '--filter', `label=${label}`)
    for (const id of new Set(made.split('\n').filter(Boolean))) await docker('image', 'rm', '--force', id)
  }

  return {
    name,
    async giveOut(version, instead) {
      const later = `s/version: "[0-9.]*"/version: "${version}"/`
      const change = instead === undefined ? `RUN sed -i '${later}' /opt/dtma/dtma.cjs` : 'COPY dtma.cjs /opt/dtma/'
      await writeFile(join(folder, 'dtma.cjs'), instead ?? '')
      await writeFile(
        join(folder, 'Dockerfile'),
        `FROM ${IMAGE}\nUSER root\n${change}\nLABEL agentopia.dtma.version="${version}" ${label}\nUSER node\n`,
      )
      await docker('build', '--quiet', '--tag', name, folder)
    },
    async [Symbol.asyncDispose]() {
      await docker('image', 'rm', '--force', name)
      await removeImages()
      await rm(folder, { recursive: true })
    },
  }
}

/** For toolboxes on which DTMA is a service. A control plane gives out what it finds at its start. */
export interface OwnBuild extends GivenOut {
  /** The control plane of this build. */
  readonly program: string
}

const DIST = fileURLToPath(new URL('../dist', import.meta.url))
/** Where Node finds the same libraries. */
const BUILDS = fileURLToPath(new URL('../node_modules/.agentopia-e2e', import.meta.url))

/** A build of its own, whose bundle of DTMA can be changed. */
export async function ownBuild(): Promise<OwnBuild> {
  await mkdir(BUILDS, { recursive: true })
  const build = await mkdtemp(join(BUILDS, 'build-'))
  await cp(DIST, build, { recursive: true })
  const bundle = await readFile(join(build, 'dtma.cjs'), 'utf8')
  return {
    program: join(build, 'control-plane.mjs'),
    async giveOut(version, instead) {
      const later = instead ?? bundle.replace(SAYS, `version: "${version}"`).replace(/^.*\n/, '')
      await writeFile(join(build, 'dtma.cjs'), `// agentopia-dtma ${version}\n${later}`)
    },
    [Symbol.asyncDispose]: () => rm(build, { recursive: true, force: true }),
  }
}
