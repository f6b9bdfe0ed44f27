import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { ArchiveManifest, MANIFEST, MOST_MANIFEST_BYTES, MOST_UNPACKED_BYTES } from '@agentopia/dtma/contract'
import { extract } from 'tar-stream'
import * as z from 'zod'

/** What an archive says of the image in it. */
export interface SeenImage {
  /** What it was called where it was saved. */
  readonly image: string | undefined
  readonly architecture: string | undefined
}

/** Why something is not the archive of an image, for people. */
export class NoImage extends Error {
  override readonly name = 'NoImage'
}

/** Configurations of images are a few thousand bytes; of anything larger only the manifest is read. */
const MOST_CONFIG_BYTES = 1024 * 1024
const MOST_CONFIGS = 200

const ImageConfig = z.object({ architecture: z.string().max(40).optional(), os: z.literal('linux') })

/** Reads through an archive of one image, compressed or not. @throws {NoImage} */
export async function lookInto(archive: Readable): Promise<SeenImage> {
  const texts = new Map<string, string>()
  try {
    await readSmallFiles(archive, texts)
  } catch (error) {
    if (error instanceof NoImage) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new NoImage(`it cannot be read (${why})`, { cause: error })
  }
  const manifest = ArchiveManifest.safeParse(parsed(texts.get(MANIFEST)))
  if (!texts.has(MANIFEST)) throw new NoImage('it holds no manifest.json')
  if (!manifest.success) throw new NoImage(`its manifest: ${z.prettifyError(manifest.error)}`)
  const [{ Config, RepoTags } = { Config: '' }] = manifest.data
  const config = ImageConfig.safeParse(parsed(texts.get(Config)))
  if (!config.success) throw new NoImage('the configuration of its image is missing, or not one for Linux')
  return { image: RepoTags?.[0], architecture: config.data.architecture }
}

async function readSmallFiles(archive: Readable, texts: Map<string, string>): Promise<void> {
  const entries = extract()
  const chunks = archive[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>
  const first = await chunks.next()
  const source = async function* () {
    if (!first.done) yield first.value
    yield* chunks
  }
  const isZipped = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b
  const reading = isZipped ? pipeline(source, createGunzip(), entries) : pipeline(source, entries)
  reading.catch(() => undefined) // whoever reads the entries is told
  let unpacked = 0
  for await (const entry of entries) {
    const { name, type, size } = entry.header
    unpacked += size
    if (unpacked > MOST_UNPACKED_BYTES) throw new NoImage('it unpacks to more than 16 GiB')
    const isSmall = type === 'file' && size <= Math.min(MOST_CONFIG_BYTES, MOST_MANIFEST_BYTES)
    // A blob has no name that tells what it is: the first few small ones are kept until the manifest says which is meant.
    if (!isSmall || (texts.size >= MOST_CONFIGS && name !== MANIFEST)) {
      entry.resume()
      continue
    }
    const parts: Buffer[] = []
    for await (const part of entry as AsyncIterable<Buffer>) parts.push(part)
    texts.set(name, Buffer.concat(parts).toString('utf8'))
  }
  await reading
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined // which neither a manifest nor a configuration is
  }
}
