import type { Recipe } from './recipe.ts'

/** Curated tools that take a secret. It is only sent outwards: none of their capabilities gives it back. */
export const CURATED_WITH_SECRETS: readonly Recipe[] = [
  {
    id: 'brave-search',
    title: 'Brave Search',
    summary: 'Searches the web, news, images, videos and places with Brave.',
    publisher: 'Brave',
    docsUrl: 'https://github.com/brave/brave-search-mcp-server',
    icon: 'search',
    categories: ['search'],
    spec: {
      package: { type: 'npm', name: '@brave/brave-search-mcp-server', version: '2.1.4' },
      transport: { type: 'stdio' },
      egress: [{ host: 'api.search.brave.com' }],
    },
    flow: { labels: ['untrusted', 'outward'] }, // its key opens a quota, nobody's data
    config: [],
    secrets: [
      {
        key: 'apiKey',
        title: 'API key',
        description: 'A subscription token of the Brave Search API.',
        required: true,
        target: { env: 'BRAVE_API_KEY' },
      },
    ],
  },
  {
    id: 'tavily',
    title: 'Tavily',
    summary: 'Searches, extracts, crawls and maps web pages for agents.',
    publisher: 'Tavily',
    docsUrl: 'https://github.com/tavily-ai/tavily-mcp',
    icon: 'globe',
    categories: ['search'],
    spec: {
      package: { type: 'npm', name: 'tavily-mcp', version: '0.2.22' },
      transport: { type: 'stdio' },
      egress: [{ host: 'api.tavily.com' }],
    },
    flow: { labels: ['untrusted', 'outward'] },
    config: [],
    secrets: [{ key: 'apiKey', title: 'API key', required: true, target: { env: 'TAVILY_API_KEY' } }],
  },
]
