import type { ProblemKind } from '@agentopia/dtma/contract'

/** What can fail with tools, what they are made of, and their credentials. */
export const TOOL_PROBLEMS = {
  'connection-refused': {
    status: 400,
    title: 'This does not belong to a connection that was begun here',
    retryable: false,
    fix: 'Begin again at the toolbelt of the agent, and consent in a browser in which you are signed in here; an attempt is good once, for ten minutes.',
  },
  'tool-not-found': {
    status: 404,
    title: 'No such tool in the catalogue',
    retryable: false,
    fix: 'List the catalogue to see which there are.',
  },
  'tool-in-use': {
    status: 409,
    title: 'Tools of this kind are deployed',
    retryable: false,
    fix: 'Remove them from their toolboxes first.',
  },
  'tool-curated': {
    status: 409,
    title: 'The tool belongs to the product',
    retryable: false,
    fix: 'Only tools of one’s own can be removed from the catalogue.',
  },
  'invalid-tool': {
    status: 422,
    title: 'The tool could not be run as it is described',
    retryable: false,
    fix: 'Correct what the detail names.',
  },
  'registry-not-found': {
    status: 404,
    title: 'No credential for this registry',
    retryable: false,
    fix: 'List the registries.',
  },
  'registry-limit': {
    status: 409,
    title: 'The account has credentials for as many registries as it may',
    retryable: false,
    fix: 'Forget one that is not needed.',
  },
  'image-not-found': {
    status: 404,
    title: 'No such archive of an image',
    retryable: false,
    fix: 'List the images, or push the archive.',
  },
  'image-in-use': {
    status: 409,
    title: 'A tool is made of this image',
    retryable: false,
    fix: 'Remove the tool from the toolboxes and from the catalogue first.',
  },
  'image-limit': {
    status: 409,
    title: 'The account holds as many images as it may',
    retryable: false,
    fix: 'Remove images that are not needed, or push a smaller one.',
  },
  'wrong-offset': {
    status: 409,
    title: 'The archive goes on elsewhere',
    retryable: true,
    fix: 'Ask how much of it is here, and send what follows.',
  },
  'invalid-image': {
    status: 422,
    title: 'This is not the archive of an image that was announced',
    retryable: false,
    fix: 'Save one image with `docker save`, and push that file as it is.',
  },
  'instance-not-found': {
    status: 404,
    title: 'No such tool instance',
    retryable: false,
    fix: 'List the tools of the toolbox.',
  },
  'instance-in-use': {
    status: 409,
    title: 'Agents still have this tool in their toolbelt',
    retryable: false,
    fix: 'Take it out of their toolbelts, or delete with force.',
  },
  'instance-in-group': {
    status: 409,
    title: 'The tool belongs to a group',
    retryable: false,
    fix: 'Change its tools once the group is ready; to remove them, remove the group.',
  },
  'group-not-found': {
    status: 404,
    title: 'No such group',
    retryable: false,
    fix: 'List the groups of the toolbox.',
  },
  'invalid-group': {
    status: 422,
    title: 'The members of the group do not fit together',
    retryable: false,
    fix: 'Correct the names and dependencies that the detail names.',
  },
  'instance-not-running': {
    status: 409,
    title: 'The tool instance is not running',
    retryable: true,
    fix: 'Start it, or wait until its state is running.',
  },
  'missing-credential': {
    status: 409,
    title: 'The agent has no credential for this tool',
    retryable: false,
    fix: 'Store the secrets that the tool takes at the toolbelt item of the agent.',
  },
  'oauth-client-missing': {
    status: 409,
    title: 'The authorization server does not know this account',
    retryable: false,
    fix: 'Register a client there with the redirect address that the detail names, and store what it gives out (settings of the account, or `agentopia connection client`).',
  },
  'invalid-config': {
    status: 422,
    title: 'The configuration does not fit the tool',
    retryable: false,
    fix: 'Correct the fields that the detail names; the catalogue entry holds the schema.',
  },
  'invalid-credential': {
    status: 422,
    title: 'The secrets do not fit the tool',
    retryable: false,
    fix: 'Name only secrets that the catalogue entry lists.',
  },
  'tool-failed': {
    status: 502,
    title: 'The tool did not answer as an MCP server should',
    retryable: false,
    fix: 'Read the log of the tool instance.',
  },
  'image-unavailable': {
    status: 503,
    title: 'The image of DTMA cannot be given out',
    retryable: true,
    fix: 'Retry; the log of the control plane says why.',
  },
} as const satisfies Record<string, ProblemKind>
