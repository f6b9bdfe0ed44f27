import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { ToolPackage } from '../contract/tool-package.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import { loadedReferenceOf } from './image-load.ts'

/** An image of a small server, as if the control plane had sent it in an archive. */
export interface SmallImage {
  readonly package: ToolPackage
  readonly reference: string
}

/** @param base With Node. @param program A module of plain JavaScript. @param more Lines of its Dockerfile. */
export async function smallImage(
  docker: DockerApi,
  base: string,
  program: string,
  signal: AbortSignal,
  more = '',
): Promise<SmallImage> {
  const archive = `sha256:${createHash('sha256').update(program).digest('hex')}`
  const reference = loadedReferenceOf(archive)
  const context = pack()
  context.entry(
    { name: 'Dockerfile' },
    `FROM ${base}\nCOPY server.mjs /server.mjs\nENTRYPOINT ["node", "/server.mjs"]\n${more}`,
  )
  context.entry({ name: 'server.mjs' }, program)
  context.finalize()
  for await (const { error } of docker.buildImage(reference, Readable.from(context), signal))
    if (error !== undefined) throw new Error(error)
  return { package: { type: 'oci', image: 'small/server:1', archive }, reference }
}
