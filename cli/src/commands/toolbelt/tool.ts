/** The argument that says which item of a toolbelt. */
export const TOOL = {
  tool: { type: 'positional', description: 'Name, <toolbox>/<name> or id of the deployed tool', required: true },
} as const
