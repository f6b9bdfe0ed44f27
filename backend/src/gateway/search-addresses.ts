import { type ProblemError, problem } from '@agentopia/api'
import type { CallGuard } from '../guard/call-guard.ts'
import type { SecretAudit } from '../guard/secret-audit.ts'
import type { Toolbelt } from './authorise.ts'
import { resourcePlaceOf } from './names.ts'
import type { OpenToolbelt } from './toolbelts.ts'

/**
 * Searches the addresses that a client wants to follow, as those that are read are searched: they go to the same server. It is no
 * call and has no record; people find it in the activity.
 * @returns Why they are not followed, `secret-blocked`; `undefined`: they may be.
 */
export type SearchAddresses = (open: OpenToolbelt, uris: readonly string[]) => Promise<ProblemError | undefined>

export interface SearchAddressesDeps {
  readonly guardOf: (toolbelt: Toolbelt) => Promise<CallGuard>
  readonly secretAudit: Pick<SecretAudit, 'note'>
}

export const createSearchAddresses =
  ({ guardOf, secretAudit }: SearchAddressesDeps): SearchAddresses =>
  async (open, uris) => {
    if (uris.length === 0) return undefined
    const guard = await guardOf(open.toolbelt)
    for (const uri of uris) {
      const { blocked } = guard.named(uri)
      if (blocked === undefined) continue
      const { instanceName } = resourcePlaceOf(uri, (name) => open.itemOf(name) !== undefined)
      const { id: agentId, accountId, name: agentName } = open.toolbelt.agent
      const instance = open.itemOf(instanceName)?.instance
      secretAudit.note({
        accountId,
        agentId,
        agentName,
        toolboxId: instance?.toolbox.id,
        capability: `${instance?.name}__resources/subscribe`,
        seen: guard.seen() ?? [],
        blocked: true,
      })
      return problem('secret-blocked', `${blocked}; nothing was sent`)
    }
    return undefined
  }
