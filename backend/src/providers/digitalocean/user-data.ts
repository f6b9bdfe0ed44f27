import type { InstallVariant } from '@agentopia/api'
import { scriptPath } from '../../install/variants.ts'

/** All that user-data may hold: it can be read on the droplet for as long as the droplet lives. */
export interface UserDataFields {
  /** Names the script that is fetched. */
  readonly variant: InstallVariant
  readonly publicUrl: string
  /** Absent: the droplet trusts the certificate authorities. */
  readonly keyPin?: string | undefined
  readonly toolboxId: string
  /** Works once. */
  readonly enrolmentToken: string
  /** The port at which the control plane dials the droplet; absent: the droplet dials. */
  readonly directPort?: number | undefined
}

/** Bytes: a quarter of what DigitalOcean takes. */
export const USER_DATA_LIMIT = 16_384

/** The script of a droplet's first boot. It fetches the install script of the control plane and runs it; everything else is there. */
export function userData({
  variant,
  publicUrl,
  keyPin = '',
  toolboxId,
  enrolmentToken,
  directPort,
}: UserDataFields): string {
  for (const value of [publicUrl, keyPin, toolboxId, enrolmentToken])
    if (/['\s]/.test(value)) throw new Error('a field of user-data does not fit between the quotes of a shell')
  const text = SCRIPT.replaceAll(/@([A-Z_]+)@/g, (_, name: string) => {
    const values: Readonly<Record<string, string>> = {
      SCRIPT_PATH: scriptPath(variant),
      CONTROL_PLANE: publicUrl,
      PIN: keyPin,
      TOOLBOX_ID: toolboxId,
      TOKEN: enrolmentToken,
      OPTIONS: directPort === undefined ? '' : `--direct ${directPort} `,
    }
    return values[name]!
  })
  if (Buffer.byteLength(text) > USER_DATA_LIMIT) throw new Error('user-data is too long')
  return text
}

const SCRIPT = `#!/bin/sh
# Makes this droplet a toolbox of Agentopia. The token works once.
set -u
umask 077
CONTROL_PLANE='@CONTROL_PLANE@'
PIN='@PIN@'
TOOLBOX_ID='@TOOLBOX_ID@'
TOKEN='@TOKEN@'
SCRIPT=/root/install-agentopia.sh

# At the first boot dpkg may be busy with updates.
tries=0
until command -v curl >/dev/null || [ "$tries" -ge 60 ]; do
  apt-get -o DPkg::Lock::Timeout=600 update -qq && DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends curl ca-certificates || sleep 5
  tries=$((tries + 1))
done

# The network, or the control plane, may come later than this script.
tries=0
while [ "$tries" -lt 60 ]; do
  tries=$((tries + 1))
  if [ -n "$PIN" ]; then set -- --insecure --pinnedpubkey "$PIN"; else set --; fi
  if curl -fsS "$@" --connect-timeout 10 --max-time 60 -o "$SCRIPT" "$CONTROL_PLANE@SCRIPT_PATH@" &&
    printf '%s\\n' "$TOKEN" | sh "$SCRIPT" @OPTIONS@"$TOOLBOX_ID"; then
    rm -f "$SCRIPT"
    exit 0
  fi
  sleep 10
done
echo "This droplet did not become a toolbox: see /var/log/agentopia-install.log" >&2
exit 1
`
