import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createBody, LABELS } from '../providers/local/dtma-container.ts'

/** What the script is filled with. Nothing here is secret: the script is public. */
export interface InstallFacts {
  /** Origin of this control plane, as machines reach it. */
  readonly publicUrl: string
  /** `sha256//…`, as curl and DTMA take it; several separated by `;`. Absent: the certificate authorities are trusted. */
  readonly keyPin?: string | undefined
  /** `sha256:…`; absent when this control plane has no Docker: then the machine pulls `imageName`. */
  readonly imageId?: string | undefined
  readonly imageName: string
}

/** Where everything of ours is on a machine that was joined. */
const HOME = '/var/lib/agentopia'

/** Beside this file, and beside the bundle. */
const file = fileURLToPath(new URL('./install.sh', import.meta.url))

/** The script that makes a machine a toolbox: the same container as the local toolbox's, made from the same recipe. */
export function installScript({ publicUrl, keyPin = '', imageId = '', imageName }: InstallFacts): string {
  const body = createBody({
    toolboxId: '__TOOLBOX__',
    imageId: imageId || imageName,
    home: HOME,
    stateDir: `${HOME}/dtma`,
    socketPath: '/var/run/docker.sock',
    user: { user: '__USER__', groups: ['__GROUP__'] },
    apiBaseUrl: publicUrl,
    // Filled in on the machine: only there it is known by which road it is reached.
    port: '__PORT__',
    listen: { host: '__HOST__', more: ['DTMA_ROAD=__ROAD__', 'DTMA_PLAIN_HTTP=__PLAIN__'] },
    ...(keyPin ? { keyPin } : {}),
  })
  const values: Readonly<Record<string, string>> = {
    CONTROL_PLANE: publicUrl,
    PIN: keyPin,
    IMAGE: imageId,
    IMAGE_NAME: imageName,
    RECIPE: body.Labels[LABELS.recipe]!,
    CREATE_BODY: JSON.stringify(body),
  }
  return readFileSync(file, 'utf8').replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    if (/['\n]/.test(value)) throw new Error(`${name} does not fit between the quotes of a shell`)
    return value
  })
}
