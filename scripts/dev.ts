// The control plane from source, started again at each change, and the page with hot reload. Ctrl-C ends both.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const children = [
  spawn(process.execPath, ['--watch', 'backend/src/main.ts'], { stdio: 'inherit' }),
  spawn(process.execPath, ['../node_modules/vite/bin/vite.js'], { stdio: 'inherit', cwd: 'web' }),
]
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => children.map((child) => child.kill(signal)))
