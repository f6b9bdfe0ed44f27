export {
  type CallOptions,
  Capability,
  type Client,
  createClient,
  DTMA_PORT,
  type Fetch,
  type Input,
  isLoopback,
  LogLine,
  MOST_ARCHIVE_BYTES,
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
  wordsOfIssue,
} from '@agentopia/dtma/contract'
export * from './agents.ts'
export * from './approvals.ts'
export * from './ask-pattern.ts'
export * from './calls.ts'
export * from './catalog.ts'
export { connectSnippets } from './connect-snippets.ts'
export * from './connections.ts'
export * from './credentials.ts'
export * from './data-flow.ts'
export * from './definition-diff.ts'
export * from './droplet-actions.ts'
export * from './events.ts'
export * from './fields.ts'
export * from './groups.ts'
export * from './images.ts'
export * from './instances.ts'
export * from './key-rotation.ts'
export * from './limits.ts'
export * from './members.ts'
export * from './oauth.ts'
export * from './operation.ts'
export { OPERATIONS } from './operations.ts'
export * from './passkeys.ts'
export * from './payloads.ts'
export * from './presence.ts'
export * from './problems.ts'
export * from './providers.ts'
export * from './provisioning.ts'
export * from './registries.ts'
export * from './road-change.ts'
export * from './rollouts.ts'
export * from './session.ts'
export * from './sign-on.ts'
export * from './ssh.ts'
export * from './toolboxes.ts'
export * from './updates.ts'
export { visible } from './visible-text.ts'
export type { WordRun } from './word-diff.ts'
