import { problem } from '@agentopia/api'
import type { ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import type { DigitalOcean } from './client.ts'
import { directTag } from './droplet-names.ts'
import { ensureFirewalls } from './firewall.ts'

/** The machine's own firewall at its provider: DTMA's port, for the control plane alone. Both may be repeated. */
export interface DropletDoor {
  /** What lets the control plane in to a droplet that has it. */
  readonly tag: string
  /** @throws {ProblemError} `direct-not-possible`, `provider-not-configured`, `no-droplet`. @throws {DigitalOceanError} */
  open(toolbox: ToolboxRow, port: number, signal: AbortSignal): Promise<void>
  /** Succeeds when there is no droplet. @throws {ProblemError} `provider-not-configured`. @throws {DigitalOceanError} */
  close(toolbox: ToolboxRow, signal: AbortSignal): Promise<void>
}

export interface DropletDoorDeps {
  /** The DigitalOcean of an account; `undefined` without a token. */
  readonly clientOf: (accountId: string) => Promise<DigitalOcean | undefined>
  readonly environment: string
  /** From where droplets of the direct road are dialled. @throws {ProblemError} When nobody has said it. */
  readonly directSources: () => readonly string[]
}

/** A droplet is let in by its tag: the firewall that opens the port holds for every droplet that has it. */
export function createDropletDoor({ clientOf, environment, directSources }: DropletDoorDeps): DropletDoor {
  const tag = directTag(environment)
  async function held(accountId: string): Promise<DigitalOcean> {
    const client = await clientOf(accountId)
    if (!client) throw problem('provider-not-configured', 'The account has no token of DigitalOcean any more')
    return client
  }

  return {
    tag,
    async open({ accountId, doDropletId }, port, signal) {
      const client = await held(accountId)
      if (doDropletId === null) throw problem('no-droplet', 'Its droplet is not known')
      await ensureFirewalls(client, environment, { port, sources: directSources() }, signal)
      await client.ensureTag(tag, signal)
      await client.tagDroplet(tag, doDropletId, signal)
    },
    async close({ accountId, doDropletId }, signal) {
      if (doDropletId !== null) await (await held(accountId)).untagDroplet(tag, doDropletId, signal)
    },
  }
}
