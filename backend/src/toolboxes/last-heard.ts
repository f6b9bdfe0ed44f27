import type { ToolboxRow } from './toolbox.store.ts'

/** When a toolbox was heard last, as a sentence without its end: for people who are told that something was given up. */
export const lastHeard = ({ lastHeartbeatAt }: Pick<ToolboxRow, 'lastHeartbeatAt'>): string =>
  lastHeartbeatAt ? `It was last heard at ${lastHeartbeatAt.toISOString()}` : 'It was never heard'
