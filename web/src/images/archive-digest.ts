import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/** So much of a file is in memory at a time. */
const SLICE_BYTES = 4 * 2 ** 20

/** What the worker says of its work. */
export type DigestNews = { readonly read: number } | { readonly digest: string } | { readonly failed: string }

/**
 * SHA-256 over a file, which may be larger than memory. In JavaScript: the browser's own takes nothing piece by piece, and is not
 * there on a page that came by plain HTTP from another machine.
 * @param onRead Told how many bytes are read.
 */
export async function digestOf(file: Blob, onRead: (bytes: number) => void): Promise<string> {
  const hash = sha256.create()
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    const end = Math.min(at + SLICE_BYTES, file.size)
    hash.update(new Uint8Array(await file.slice(at, end).arrayBuffer()))
    onRead(end)
  }
  return `sha256:${bytesToHex(hash.digest())}`
}
