export {
  type CallOptions,
  Capability,
  type Client,
  createClient,
  type Fetch,
  type Input,
  LogLine,
  type Operation,
  type Parsed,
  ProblemDocument,
  ProblemError,
  parseInput,
  type Reply,
  readEventStream,
  type StreamEvent,
  ToolReason,
  ToolState,
} from '@agentopia/dtma/contract'
export * from './agents.ts'
export * from './approvals.ts'
export * from './ask-pattern.ts'
export * from './calls.ts'
export * from './catalog.ts'
export * from './credentials.ts'
export * from './definition-diff.ts'
export * from './droplet-actions.ts'
export * from './events.ts'
export * from './fields.ts'
export * from './instances.ts'
export * from './limits.ts'
export * from './members.ts'
export * from './oauth.ts'
export * from './operation.ts'
export { OPERATIONS } from './operations.ts'
export * from './problems.ts'
export * from './providers.ts'
export * from './provisioning.ts'
export * from './session.ts'
export * from './toolboxes.ts'
export { visible } from './visible-text.ts'
export type { WordRun } from './word-diff.ts'
