/** The argument that names a deployed tool. */
export const PLACE = {
  tool: { type: 'positional', description: 'Name, <toolbox>/<name> or id', required: true },
} as const
