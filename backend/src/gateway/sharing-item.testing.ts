import type { BeltItem } from './authorise.ts'

/** An item that shares its prompts and resources. @param plainNames Its names are those of its server. */
export const sharingItem = (name: string, plainNames = false) =>
  ({
    id: `belt_${name}`,
    enabled: true,
    toolboxAccess: true,
    allowed: new Map(),
    asked: new Set(),
    prompts: true,
    resources: true,
    plainNames,
    instance: { id: `inst_${name}`, name, desired: 'running', capabilities: [], toolbox: {} },
  }) as unknown as BeltItem
