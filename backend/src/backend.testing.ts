/** Parts of the control plane for tests across packages: the gateway with its database over a road of the test’s own, and hostile words. */
export { openTestGateway } from './gateway/gateway.testing.ts'
export type { Road, RoadAnswer } from './gateway/road.ts'
export { openControlPlaneSaying } from './hostile-words.testing.ts'
