import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { crc32 } from 'node:zlib'

/** An index of Python packages (PEP 503, "simple") with what is put there and nothing else. */
export interface PythonIndex {
  /** Origin and path, as containers on Docker's own bridge reach it. */
  readonly url: string
  /** How often a wheel was fetched. */
  readonly fetched: { wheels: number }
  put(wheel: Wheel): void
  close(): Promise<void>
}

/** A package of plain Python as a wheel (PEP 427). */
interface Wheel {
  /** Normalised. */
  readonly name: string
  readonly version: string
  /** Console scripts: `module:function`, by name. */
  readonly scripts: Readonly<Record<string, string>>
  /** Texts, by path. */
  readonly files: Readonly<Record<string, string>>
  /** Requirements, as `Requires-Dist` takes them. */
  readonly requires?: readonly string[]
}

/** @param host Of this machine on Docker's bridge. */
export async function openPythonIndex(host: string): Promise<PythonIndex> {
  const wheels = new Map<string, { readonly project: string; readonly bytes: Buffer }>()
  const fetched = { wheels: 0 }
  const server = createServer((request, response) => {
    const [, kind, name = ''] = /^\/(simple|wheels)\/([^/]+)\/?$/.exec(request.url ?? '') ?? []
    const wheel = wheels.get(name)
    const own = [...wheels].filter(([, { project }]) => project === name)
    if (kind === 'wheels' && wheel) {
      fetched.wheels++
      return void response.end(wheel.bytes)
    }
    if (kind !== 'simple' || own.length === 0) return void response.writeHead(404).end()
    const links = own.map(([file, { bytes }]) => {
      const digest = createHash('sha256').update(bytes).digest('hex')
      return `<a href="/wheels/${file}#sha256=${digest}">${file}</a>`
    })
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!DOCTYPE html><body>${links.join('')}</body>`)
  }).listen(0, host)
  await once(server, 'listening')
  return {
    url: `http://${host}:${(server.address() as { port: number }).port}/simple`,
    fetched,
    put(wheel) {
      const file = `${wheel.name.replaceAll('-', '_')}-${wheel.version}-py3-none-any.whl`
      wheels.set(file, { project: wheel.name, bytes: wheelOf(wheel) })
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function wheelOf({ name, version, scripts, files, requires = [] }: Wheel): Buffer {
  const info = `${name.replaceAll('-', '_')}-${version}.dist-info`
  const entries = Object.entries(scripts).map(([script, target]) => `${script} = ${target}`)
  const needs = requires.map((requirement) => `Requires-Dist: ${requirement}`)
  const all = {
    ...files,
    [`${info}/METADATA`]: ['Metadata-Version: 2.1', `Name: ${name}`, `Version: ${version}`, ...needs, ''].join('\n'),
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/entry_points.txt`]: entries.length === 0 ? '' : ['[console_scripts]', ...entries, ''].join('\n'),
  }
  const record = [...Object.keys(all), `${info}/RECORD`].map((path) => `${path},,\n`).join('')
  return zipOf({ ...all, [`${info}/RECORD`]: record })
}

/** A zip archive of stored files: as much of the format as a wheel needs. */
function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const path = Buffer.from(name)
    const data = Buffer.from(text)
    const head = Buffer.alloc(26)
    head.writeUInt16LE(20, 0) // version needed
    head.writeUInt16LE(0x0021, 8) // 1980-01-01
    head.writeUInt32LE(crc32(data), 10)
    head.writeUInt32LE(data.length, 14)
    head.writeUInt32LE(data.length, 18)
    head.writeUInt16LE(path.length, 22)
    local.push(Buffer.from('PK\x03\x04', 'latin1'), head, path, data)
    const entry = Buffer.alloc(14)
    entry.writeUInt32LE((0o100644 << 16) >>> 0, 6)
    entry.writeUInt32LE(offset, 10)
    central.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), head, entry, path)
    offset += 4 + head.length + path.length + data.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  const count = Object.keys(files).length
  end.writeUInt16LE(count, 4)
  end.writeUInt16LE(count, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06', 'latin1'), end])
}
