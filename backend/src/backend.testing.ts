/** Parts of the control plane for tests across packages: the gateway with its database, over a road of the test's own. */
export { openTestGateway } from './gateway/gateway.testing.ts'
export type { Road, RoadAnswer } from './gateway/road.ts'
