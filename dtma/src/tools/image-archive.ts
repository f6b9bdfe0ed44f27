import { createHash, type Hash } from 'node:crypto'
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract, type Header, type Pack, pack } from 'tar-stream'
import * as z from 'zod/mini'
import {
  ArchiveManifest,
  isInside,
  MANIFEST,
  MOST_ARCHIVE_BYTES,
  MOST_MANIFEST_BYTES,
  MOST_UNPACKED_BYTES,
  UNHEARD,
} from '../contract/image-archive.ts'

/** It is not the archive that was asked for, or none of an image. */
export class InvalidArchive extends Error {
  override readonly name = 'InvalidArchive'
}

export interface LoadedAs {
  /** Of the archive as it comes, `sha256:<hex>`. */
  readonly digest: string
  /** The only name that the image gets: those in the archive could be names of others. */
  readonly reference: string
  /** Told how many bytes have come. */
  readonly onBytes?: (bytes: number) => void
}

/**
 * An archive as Docker is to see it: files and links of the archive itself, and at the very end, when its digest was found
 * right, the manifest without which Docker loads nothing, with one name in it.
 * Ends with {@link InvalidArchive} when something is wrong. @param archive A tar archive, or one that was compressed by gzip.
 */
export function asLoaded(archive: Readable, { digest, reference, onBytes }: LoadedAs): Readable {
  const tar = pack()
  const out = Readable.from(tar)
  tar.on('error', () => undefined) // whoever reads `out` is told

  async function rewrite(): Promise<void> {
    const hash = createHash('sha256')
    const manifest = await copyEntries(counted(archive, hash, onBytes), tar)
    if (`sha256:${hash.digest('hex')}` !== digest) throw new InvalidArchive('The archive is not the one of this digest')
    const { Config, Layers } = manifestOf(manifest)
    tar.entry(
      { name: MANIFEST, mode: 0o644 },
      JSON.stringify([{ Config: cleanName(Config), Layers: Layers.map(cleanName), RepoTags: [reference] }]),
    )
    tar.finalize()
  }

  rewrite().catch((error: unknown) => {
    archive.destroy()
    out.destroy(error instanceof Error ? error : new Error(String(error)))
    tar.destroy()
  })
  return out
}

async function* counted(
  archive: Readable,
  hash: Hash,
  onBytes: LoadedAs['onBytes'] = () => undefined,
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of archive as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_ARCHIVE_BYTES) throw new InvalidArchive('The archive is larger than 4 GiB')
    hash.update(chunk)
    onBytes(bytes)
    yield chunk
  }
}

/** @returns The text of the manifest, which is not copied. */
async function copyEntries(bytes: AsyncGenerator<Buffer>, tar: Pack): Promise<string | undefined> {
  const entries = extract()
  const first = await bytes.next()
  const isZipped = first.value?.[0] === 0x1f && first.value[1] === 0x8b
  const source = async function* () {
    if (first.value) yield first.value
    yield* bytes
  }
  const reading = isZipped ? pipeline(source, createGunzip(), entries) : pipeline(source, entries)
  reading.catch(() => undefined) // whoever reads the entries is told
  let unpacked = 0
  let manifest: string | undefined
  try {
    for await (const entry of entries) {
      const { size = 0 } = entry.header
      const name = cleanName(entry.header.name)
      unpacked += size
      if (unpacked > MOST_UNPACKED_BYTES) throw new InvalidArchive('The archive unpacks to more than 16 GiB')
      if (name === MANIFEST) manifest = await textOf(entry, size)
      else if (name === '.' || UNHEARD.has(name)) entry.resume()
      else await copy(entry, tar.entry(headerOf({ ...entry.header, name })))
    }
    await reading
  } catch (error) {
    if (error instanceof InvalidArchive || tar.destroyed) throw error
    throw new InvalidArchive(`The archive cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  return manifest
}

/** A broken source must not end the target: what is wrong with the archive is said there by us. */
async function copy(source: AsyncIterable<unknown>, target: ReturnType<Pack['entry']>): Promise<void> {
  target.once('error', () => undefined) // it is destroyed with the archive, which tells why
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (target.write(chunk)) continue
    await new Promise<void>((resolve) => {
      target.once('drain', resolve)
      target.once('close', resolve)
    })
    if (target.destroyed) throw new Error('Nobody takes the archive any more')
  }
  target.end(null)
}

/** Every spelling of a name is one name to whoever unpacks; so it is to us, and only that one goes on. @throws {InvalidArchive} */
function cleanName(name: string): string {
  if (!isInside(name)) throw new InvalidArchive('A file of the archive leads out of it')
  return posix.normalize(name).replace(/\/$/, '')
}

/** What is left of an entry: its name, its kind and where a link leads, all of them inside of the archive. */
function headerOf({ name, type, size = 0, linkname }: Header): Parameters<Pack['entry']>[0] {
  if (type === 'directory') return { name, type, mode: 0o755 }
  if (type === 'file' || type === 'contiguous-file') return { name, type: 'file', size, mode: 0o644 }
  const target = type === 'symlink' ? posix.join(posix.dirname(name), linkname ?? '') : (linkname ?? '')
  if ((type !== 'symlink' && type !== 'link') || linkname?.startsWith('/') || !isInside(target))
    throw new InvalidArchive(`The archive holds something that no archive of an image does: ${type}`)
  return { name, type, linkname, mode: 0o644 }
}

async function textOf(entry: AsyncIterable<unknown>, size: number): Promise<string> {
  if (size > MOST_MANIFEST_BYTES) throw new InvalidArchive('The manifest of the archive is larger than 1 MiB')
  const chunks: Buffer[] = []
  for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** @throws {InvalidArchive} */
function manifestOf(text: string | undefined): z.infer<typeof ArchiveManifest>[0] {
  if (text === undefined)
    throw new InvalidArchive('The archive holds no manifest.json: `docker save` makes one that does')
  const parsed = ArchiveManifest.safeParse(parseJson(text))
  if (!parsed.success) throw new InvalidArchive(`The manifest of the archive: ${z.prettifyError(parsed.error)}`)
  return parsed.data[0]!
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // which no manifest is
  }
}
