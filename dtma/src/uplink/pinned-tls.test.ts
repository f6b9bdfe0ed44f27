import { execFile, execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createPlainServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { pinnedFetch } from './pinned-fetch.ts'
import { connectPinned, PinMismatch } from './pinned-tls.ts'

interface Identity {
  readonly key: string
  readonly cert: string
  readonly pin: string
}

let folder: string
let ours: Identity
let impostor: Identity

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dtma-pin-'))
  ours = newIdentity('ours')
  impostor = newIdentity('impostor')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function newIdentity(name: string): Identity {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
  execFileSync('openssl', [...request, '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const text = readFileSync(cert, 'utf8')
  const spki = new X509Certificate(text).publicKey.export({ type: 'spki', format: 'der' })
  return {
    key: readFileSync(key, 'utf8'),
    cert: text,
    pin: `sha256//${createHash('sha256').update(spki).digest('base64')}`,
  }
}

let stop: () => void = () => {}
afterEach(() => stop())

/** Somebody at an address; `heard` is every byte that he could read. */
async function serving({ key, cert }: Identity) {
  const heard: string[] = []
  const server = createServer({ key, cert }, (request, response) => {
    request.on('data', (chunk) => heard.push(String(chunk)))
    request.on('end', () => response.end(JSON.stringify({ authorization: request.headers.authorization })))
  })
  server.on('secureConnection', (socket) => socket.on('data', (chunk: Buffer) => heard.push(String(chunk))))
  server.listen(0, '127.0.0.1')
  stop = () => void server.close().closeAllConnections()
  await once(server, 'listening')
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}

const secretRequest = { method: 'POST', headers: { authorization: 'Bearer a-secret' }, body: '{"token":"a-secret"}' }

describe('a pinned control plane', () => {
  it('is spoken to, though no authority vouches for it', async () => {
    const { url, heard } = await serving(ours)
    const response = await pinnedFetch([ours.pin])(url, secretRequest)
    expect(await response.json()).toEqual({ authorization: 'Bearer a-secret' })
    expect(heard.join('')).toContain('a-secret')
  })

  it('may show the next key as well as the present one', async () => {
    const { url } = await serving(ours)
    expect((await pinnedFetch([impostor.pin, ours.pin])(url)).status).toBe(200)
  })

  it('E06 with another key hears not one byte of ours', async () => {
    const { url, heard } = await serving(impostor)
    const refused = pinnedFetch([ours.pin])(url, secretRequest)
    await expect(refused).rejects.toThrow(PinMismatch)
    await expect(refused).rejects.toThrow('pin_mismatch')
    expect(heard).toEqual([])
  })

  it('that never ends the handshake is given up on when it is told to stop', async () => {
    const silent = createPlainServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const url = new URL(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`)
    await expect(connectPinned(url, [ours.pin], AbortSignal.timeout(50))).rejects.toThrow()
    silent.close()
  })

  it('E06 curl keeps the same pin: an impostor gets nothing, a key without an authority is enough', async () => {
    const { url, heard } = await serving(impostor)
    const curl = (pin: string) => [
      '-s',
      '--insecure',
      '--pinnedpubkey',
      pin,
      '-H',
      'authorization: Bearer a-secret',
      url,
    ]
    await expect(curlOf(curl(ours.pin))).rejects.toMatchObject({ code: 90 }) // CURLE_SSL_PINNEDPUBKEYNOTMATCH
    expect(heard).toEqual([])
    expect(await curlOf(curl(impostor.pin))).toContain('a-secret')
  })
})

const curlOf = async (args: readonly string[]): Promise<string> => (await promisify(execFile)('curl', args)).stdout
