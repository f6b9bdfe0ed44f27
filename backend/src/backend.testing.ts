/** Parts of the control plane for tests across packages: the gateway with its database, over a road of the test's own; what asks DigitalOcean. */
export { openTestGateway } from './gateway/gateway.testing.ts'
export type { Road, RoadAnswer } from './gateway/road.ts'
export { createBudget } from './providers/digitalocean/budget.ts'
export { createDigitalOcean } from './providers/digitalocean/client.ts'
export { ensureFirewall } from './providers/digitalocean/firewall.ts'
export { missingScopes } from './providers/digitalocean/scopes.ts'
