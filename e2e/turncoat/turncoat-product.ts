import { startWithServer } from '../own-server.ts'
import type { Product } from '../product.ts'

/** The product with a tool of its account's own: a server that changes its mind. */
export const startWithTurncoat = (): Promise<Product> =>
  startWithServer(new URL('./turncoat.server.ts', import.meta.url), {
    id: 'turncoat',
    title: 'Turncoat',
    summary: 'A server that becomes another one while it runs.',
  })
