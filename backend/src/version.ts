import manifest from '../package.json' with { type: 'json' }

/** Of the control plane. */
export const VERSION = manifest.version
