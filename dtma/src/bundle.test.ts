import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

/** The one file that machines get, made as `npm run build` makes it. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minifySyntax: true,
    write: false,
    entryPoints: [fileURLToPath(new URL('./main.ts', import.meta.url))],
  })
  return outputFiles[0]!.text
}

test('the bundle is small in memory: every letter of one byte, for one other makes two of each; zod in English only', async () => {
  const text = await bundle()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the letters of one byte that esbuild writes.
  expect(text.match(/[^\u0000-\u007f].*/)?.[0]).toBeUndefined()
  expect(text).toContain('zod/v4/locales/en.js')
  expect(text).not.toContain('zod/v4/locales/de.js')
})
