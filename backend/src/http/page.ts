import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import type { Context } from 'hono'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

/** Names in this folder hold a digest of the content: what was once read never changes. */
const HASHED = '/assets/'

const NOT_BUILT = 'The page has not been built yet. Run `npm run build`, then reload. The API answers under /api.\n'

/** Serves the built page of a directory. Every path that is no file is the page itself: its own routes are the browser's. */
export const servePage =
  (directory: string) =>
  async (c: Context): Promise<Response> => {
    const path = fileOf(c.req.path)
    const asked = path === undefined ? undefined : await read(directory, path)
    if (asked) return answer(asked, path!)
    if (path !== undefined && extname(path) !== '') return c.text('There is no such file.\n', 404)
    const page = await read(directory, '/index.html')
    return page ? answer(page, '/index.html') : c.text(NOT_BUILT, 503)

    function answer(content: Uint8Array<ArrayBuffer>, name: string): Response {
      return c.body(content, 200, {
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'cache-control': name.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache',
      })
    }
  }

/** The path as that of a file inside the directory; `undefined` for one that names none. */
function fileOf(path: string): string | undefined {
  let plain: string
  try {
    plain = decodeURIComponent(path)
  } catch {
    return undefined
  }
  if (plain.includes('\0') || plain.includes('\\') || plain.endsWith('/')) return undefined
  return normalize(`/${plain}`) // an absolute path: it cannot lead above its root
}

async function read(directory: string, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(join(directory, path)))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw error
  }
}
