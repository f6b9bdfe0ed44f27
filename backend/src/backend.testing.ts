/** Parts of the control plane for tests across packages: the gateway with its database, over a road of the test's own; and a whole one with a tool that is connected by consent. */
export { openTestConnections } from './connections/connections.testing.ts'
export { openTestGateway } from './gateway/gateway.testing.ts'
export type { Road, RoadAnswer } from './gateway/road.ts'
export { openControlPlaneSaying } from './hostile-words.testing.ts'
export { ownNames } from './http/same-site.ts'
