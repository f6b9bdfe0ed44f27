/** Gives the bodies of a browser whose streams cannot be iterated the means to be: WebKit's. */
export function readable(response: Response): Response {
  const { prototype } = ReadableStream as { prototype: { [Symbol.asyncIterator]?: unknown } }
  prototype[Symbol.asyncIterator] ??= async function* iterate(this: ReadableStream<unknown>) {
    const reader = this.getReader()
    try {
      for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
    } finally {
      await reader.cancel()
    }
  }
  return response
}
