import type { Direct, InstallVariant } from '@agentopia/api'
import { isLoopback } from '@agentopia/dtma/contract'
import { isHttpsOrNear } from '../http/https-or-near.ts'
import { scriptPath } from './variants.ts'

/** What the lines are made of. */
export interface JoinFacts {
  readonly variant: InstallVariant
  readonly publicUrl: string
  readonly keyPin?: string | undefined
  readonly toolboxId: string
  readonly token: string
  /** How the control plane dials the server; absent: the server dials. */
  readonly direct?: Direct | null | undefined
}

const FILE = 'install-agentopia.sh'
/** Where the user is root already, there may be no sudo. */
const AS_ROOT = '$(command -v sudo) sh'

/**
 * Lines to paste into a shell of the server. `printf` is the shell's own, so the token comes into no process list;
 * the script is fetched whole before any of it runs.
 */
export function joinLine({ variant, publicUrl, keyPin, toolboxId, token, direct }: JoinFacts) {
  // The pin decides alone: without the right key not a byte is fetched, and authorities are not asked.
  const pin = keyPin ? `--insecure --pinnedpubkey '${keyPin}' ` : ''
  const fetched = `curl -fsSL ${pin}-o ${FILE} ${publicUrl}${scriptPath(variant)}`
  return {
    line: `${fetched} && printf '%s\\n' '${token}' | ${AS_ROOT} ${FILE} ${direct ? directOptions(direct) : ''}${toolboxId}`,
    updateLine: `${fetched} && ${AS_ROOT} ${FILE} </dev/null`,
    uninstallLine: `${fetched} && ${AS_ROOT} ${FILE} --uninstall && rm ${FILE}`,
    ...warningOf(publicUrl),
  }
}

function warningOf(publicUrl: string): { readonly warning?: string } {
  if (onlyHere(publicUrl))
    return {
      warning: `Only this machine itself reaches ${publicUrl}. Start the control plane with PUBLIC_URL set to an address that the server reaches, and HOST=0.0.0.0.`,
    }
  if (isHttpsOrNear(publicUrl)) return {}
  return {
    warning: `${publicUrl} is not https: whoever is on the way can change what runs there as root, and read its credentials. Put TLS before the control plane, and start it with PUBLIC_URL=https://…`,
  }
}

const directOptions = ({ port, plainHttp }: Direct): string => `--direct ${port} ${plainHttp ? '--plain-http ' : ''}`

/** Is this an address that means another machine everywhere else? */
export const onlyHere = (publicUrl: string): boolean => isLoopback(new URL(publicUrl).hostname)
