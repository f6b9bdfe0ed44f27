import { createHash } from 'node:crypto'

/** Every droplet of ours has it. */
export const PRODUCT_TAG = 'agentopia-toolbox'

/** Tells the droplets of this control plane from those of another one with the same DigitalOcean account. All replicas have one. */
export const environmentOf = (rootKey: Uint8Array): string =>
  createHash('sha256').update('agentopia environment').update(rootKey).digest('hex').slice(0, 12)

export const environmentTag = (environment: string): string => `agentopia-env-${environment}`

/** By this tag the droplet of a toolbox is found again, whatever was lost. */
export const toolboxTag = (toolboxId: string): string => `toolbox-${toolboxId.slice('toolbox_'.length)}`

/** Which toolbox a droplet says to belong to. */
export function toolboxIdOf(tags: readonly string[]): string | undefined {
  const suffix = tags.map((tag) => /^toolbox-([0-9a-z]{16})$/.exec(tag)?.[1]).find((found) => found !== undefined)
  return suffix && `toolbox_${suffix}`
}

export const dropletName = (name: string, toolboxId: string): string => `agentopia-${name}-${toolboxId.slice(-6)}`

/** Droplets that the control plane dials. */
export const directTag = (environment: string): string => `${environmentTag(environment)}-direct`

export const directFirewallName = (environment: string): string => `${firewallName(environment)}-direct`

/** A snapshot of ours tells whose it is; the name that people gave is at the end. */
export const snapshotName = (environment: string, toolboxId: string, name: string): string =>
  `agentopia-${environment}-${toolboxId.slice('toolbox_'.length)}-${name}`

/** `undefined` for what this environment did not make. */
export function readSnapshotName(
  environment: string,
  text: string,
): { readonly toolboxId: string; readonly name: string } | undefined {
  const [, from, toolbox, name] = /^agentopia-([0-9a-f]{12})-([0-9a-z]{16})-([a-z0-9-]{1,63})$/.exec(text) ?? []
  return from === environment && toolbox && name ? { toolboxId: `toolbox_${toolbox}`, name } : undefined
}

/** What a droplet is shown for its next enrolment. */
export const bootTag = (nonce: string): string => `agentopia-boot-${nonce}`

export const firewallName = (environment: string): string => `agentopia-${environment}`
