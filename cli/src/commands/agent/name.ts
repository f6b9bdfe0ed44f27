/** The argument that names an agent. */
export const AGENT = { agent: { type: 'positional', description: 'Name or id of the agent', required: true } } as const
