import { CURATED_WITH_SECRETS } from './curated.secrets.ts'
import type { Recipe } from './recipe.ts'

/**
 * The curated catalogue. An entry is here only when it was deployed and called under the strict profile
 * (no privileges, read-only, no route out unless declared) in `npm run story:local` or the tests beside DTMA.
 */
export const CURATED: readonly Recipe[] = [
  {
    id: 'everything',
    title: 'Everything',
    summary: 'The reference server that exercises every feature of MCP; the right first tool to try.',
    publisher: 'Model Context Protocol',
    docsUrl: 'https://github.com/modelcontextprotocol/servers/tree/main/src/everything',
    icon: 'sparkles',
    categories: ['reference', 'testing'],
    spec: {
      package: { type: 'npm', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' },
      transport: { type: 'stdio' },
      args: ['stdio'],
    },
    config: [],
  },
  {
    id: 'everything-http',
    title: 'Everything over HTTP',
    summary: 'The reference server again, spoken to by streamable HTTP on its private network.',
    publisher: 'Model Context Protocol',
    docsUrl: 'https://github.com/modelcontextprotocol/servers/tree/main/src/everything',
    icon: 'globe',
    categories: ['reference', 'testing'],
    spec: {
      package: { type: 'npm', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' },
      transport: { type: 'http', port: 3001, path: '/mcp' },
      args: ['streamableHttp'],
      env: { PORT: '3001' },
    },
    config: [],
  },
  {
    id: 'memory',
    title: 'Memory',
    summary: 'A knowledge graph that an agent keeps between conversations.',
    publisher: 'Model Context Protocol',
    docsUrl: 'https://github.com/modelcontextprotocol/servers/tree/main/src/memory',
    icon: 'brain',
    categories: ['knowledge'],
    spec: {
      package: { type: 'npm', name: '@modelcontextprotocol/server-memory', version: '2026.8.31' },
      transport: { type: 'stdio' },
      env: { MEMORY_FILE_PATH: '/data/memory.jsonl' },
      state: { path: '/data' },
    },
    config: [],
  },
  {
    id: 'filesystem',
    title: 'Filesystem',
    summary: 'Read, write and search files in a private volume of the tool.',
    publisher: 'Model Context Protocol',
    docsUrl: 'https://github.com/modelcontextprotocol/servers/tree/main/src/filesystem',
    icon: 'folder',
    categories: ['files'],
    spec: {
      package: { type: 'npm', name: '@modelcontextprotocol/server-filesystem', version: '2026.8.31' },
      transport: { type: 'stdio' },
      args: ['/data'],
      state: { path: '/data' },
    },
    config: [],
  },
  {
    id: 'sequential-thinking',
    title: 'Sequential thinking',
    summary: 'Lets an agent think in numbered, revisable steps.',
    publisher: 'Model Context Protocol',
    docsUrl: 'https://github.com/modelcontextprotocol/servers/tree/main/src/sequentialthinking',
    icon: 'list-ordered',
    categories: ['reasoning'],
    spec: {
      package: { type: 'npm', name: '@modelcontextprotocol/server-sequential-thinking', version: '2026.8.31' },
      transport: { type: 'stdio' },
    },
    config: [
      {
        key: 'hideThoughts',
        title: 'Keep thoughts out of the log',
        description: 'The server prints each thought to its log unless this is on.',
        type: 'boolean',
        required: false,
        default: true,
        target: { env: 'DISABLE_THOUGHT_LOGGING' },
      },
    ],
  },
  {
    id: 'playwright',
    title: 'Playwright',
    summary: 'Drives a browser: opens pages, reads them, clicks and types.',
    publisher: 'Microsoft',
    docsUrl: 'https://github.com/microsoft/playwright-mcp',
    icon: 'app-window',
    categories: ['browser'],
    spec: {
      package: { type: 'npm', name: '@playwright/mcp', version: '0.0.83', needs: ['chromium'] },
      transport: { type: 'stdio' },
      // The container is the sandbox: Chromium's own needs rights that no tool gets.
      args: [
        '--headless',
        '--isolated',
        '--no-sandbox',
        '--executable-path=/usr/bin/chromium',
        '--output-dir=/tmp/output',
        '--proxy-server=http://dtma-gateway:3128',
      ],
      egress: 'any',
      resources: { memoryMib: 1_024, cpus: 2, pids: 256 },
      profiles: ['browser'],
    },
    config: [],
  },
  ...CURATED_WITH_SECRETS,
]
