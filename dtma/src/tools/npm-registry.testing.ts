import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'

interface TestPackage {
  readonly name: string
  readonly version: string
  /** More of its `package.json`: `bin`, `scripts`, `dependencies`. */
  readonly manifest?: object
  readonly files?: Readonly<Record<string, string>>
}

/** A registry of npm packages, as much of it as an installation asks for. */
export interface NpmRegistry {
  readonly url: string
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  put(one: TestPackage): Promise<void>
  /** Of the archive, as a lock file has it. */
  integrityOf(name: string): string
  close(): Promise<void>
}

/** @param host Address to listen on: one that containers reach. */
export async function openNpmRegistry(host: string): Promise<NpmRegistry> {
  const documents = new Map<string, { text: string; integrity: string }>()
  const archives = new Map<string, Buffer>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!)
    asked.push(path)
    const archive = archives.get(path)
    if (archive) return void response.end(archive)
    const found = documents.get(path.slice(1))
    if (!found) return void response.writeHead(404).end('{}')
    response.writeHead(200, { 'content-type': 'application/json' }).end(found.text)
  }).listen(0, host)
  await once(server, 'listening')
  const url = `http://${host}:${(server.address() as AddressInfo).port}`
  return {
    url,
    asked,
    async put({ name, version, manifest = {}, files = {} }) {
      const own = { name, version, ...manifest }
      const tar = pack()
      for (const [path, text] of Object.entries({ 'package.json': JSON.stringify(own), ...files }))
        tar.entry({ name: `package/${path}`, mode: 0o755 }, text)
      tar.finalize()
      const archive = gzipSync(Buffer.concat(await Readable.from(tar).toArray()))
      const path = `/${name}/-/${name}-${version}.tgz`
      archives.set(path, archive)
      const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`
      // Whether a package has scripts is told by the registry, too.
      const hasInstallScript = 'scripts' in manifest
      const listed = { ...own, hasInstallScript, dist: { tarball: url + path, integrity } }
      const text = JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: listed } })
      documents.set(name, { text, integrity })
    },
    integrityOf: (name) => documents.get(name)!.integrity,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
