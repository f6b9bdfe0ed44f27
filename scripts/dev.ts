// The control plane from source, started again at each change, and the page with hot reload. Ctrl-C ends both.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const vite = fileURLToPath(import.meta.resolve('vite/bin/vite.js'))
const children = [
  spawn(process.execPath, ['--watch', 'backend/src/main.ts'], { stdio: 'inherit' }),
  spawn(process.execPath, [vite], { stdio: 'inherit', cwd: 'web' }),
]
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => children.map((child) => child.kill(signal)))
