import { compareVersions } from '@agentopia/dtma/contract'
import { containerName } from '../providers/local/dtma-container.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { Newest } from './releases.ts'

export type RedeployFacts = Pick<
  ToolboxRow,
  'id' | 'name' | 'provider' | 'status' | 'desired' | 'dtmaVersion' | 'installation'
>

export type Redeployment =
  /** `again`: it has that version already. */
  | { readonly version: string; readonly again: boolean }
  /** Why not, and what to do instead. */
  | { readonly refusal: string }

/** At which version DTMA of a toolbox is deployed anew: never an earlier one than it has. Decides; touches nothing. */
export function redeploymentOf(row: RedeployFacts, given: Newest): Redeployment {
  const { id, name, provider, status, desired, dtmaVersion } = row
  const isHeard = status === 'active' && dtmaVersion !== null
  if (desired === 'absent' || (provider !== 'local' && !isHeard))
    return { refusal: `${name} is ${status.replaceAll('_', ' ')}, so DTMA cannot be asked. ${elsewhere(row)}` }
  if (provider === 'local')
    return {
      refusal: `DTMA of this machine is made by the control plane itself: remove its container (docker rm --force ${containerName(id)}), and it is made anew`,
    }
  const version = given[row.installation ?? 'container']
  if (version === undefined) return { refusal: `This control plane gives out no DTMA for ${name}. ${elsewhere(row)}` }
  const order = compareVersions(version, dtmaVersion!)
  if (order < 0)
    return { refusal: `${name} runs DTMA ${dtmaVersion}, and ${version} is older: nothing goes back by itself` }
  return { version, again: order === 0 }
}

/** The ways that need no DTMA that answers. */
function elsewhere({ name, provider, desired }: RedeployFacts): string {
  if (desired === 'absent') return 'It is on its way out: create another one'
  const overSsh = `agentopia toolbox push ${name} --action update`
  if (provider === 'ssh') return `Repair it over SSH: ${overSsh}`
  if (provider === 'join')
    return `Run the line that updates it on its machine: agentopia toolbox join ${name}. Or over SSH: ${overSsh}`
  return `Repair it over SSH: ${overSsh}. Or have a fresh disk: agentopia toolbox rebuild ${name} --confirm ${name}`
}
