import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const CONTROL_PLANE = 'http://127.0.0.1:3000'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  // Nothing is inlined: the content security policy lets fonts come from files only.
  build: { outDir: 'dist', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  server: { proxy: { '/api': CONTROL_PLANE, '/mcp': CONTROL_PLANE, '/operator/mcp': CONTROL_PLANE } },
})
