import {
  type DtmaStatus,
  deleteTool,
  followToolLogs,
  getCapabilities,
  getStatus,
  putTool,
} from '@agentopia/dtma/contract'

/** What the control plane calls on a toolbox; it works with no DTMA that lacks one of them. */
const NEEDED = [getStatus, putTool, deleteTool, getCapabilities, followToolLogs] as const

/** Ids of the operations that this DTMA lacks. One that does not say what it has is of an API version that has them all. */
export function lackingIn({ operations }: Pick<DtmaStatus, 'operations'>): readonly string[] {
  if (operations === undefined) return []
  return NEEDED.map(({ id }) => id).filter((id) => !operations.includes(id))
}
