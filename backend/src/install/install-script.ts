import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { InstallVariant } from '@agentopia/api'
import { DTMA_PORT } from '@agentopia/dtma/contract'
import { createBody, LABELS } from '../providers/local/dtma-container.ts'
import { FORGET_FIREWALL } from '../providers/local/forget-firewall.ts'
import type { DtmaSource } from './variants.ts'

/** What the script is filled with. Nothing here is secret: the script is public. */
export interface InstallFacts {
  readonly variant: InstallVariant
  /** Origin of this control plane, as machines reach it. */
  readonly publicUrl: string
  /** `sha256//…`, as curl and DTMA take it; several separated by `;`. Absent: the certificate authorities are trusted. */
  readonly keyPin?: string | undefined
  /** `sha256:…`; absent: the machine pulls `imageName`. */
  readonly imageId?: string | undefined
  readonly imageName: string
  /** SHA-256 of the bundle, hex. */
  readonly bundle?: string | undefined
  readonly source?: DtmaSource | undefined
}

/** Where everything of ours is on a machine that was joined. */
const HOME = '/var/lib/agentopia'

/** Of the script, in this order. */
const PARTS = ['begin', 'image', 'in-docker', 'under-systemd', 'main'] as const

/** Beside this file, and beside the bundle. */
const partAt = (name: string): string => fileURLToPath(new URL(`./script/${name}.sh`, import.meta.url))

/** The script that makes a machine a toolbox; as a container, it is the same as the local toolbox's, made from the same recipe. */
export function installScript(facts: InstallFacts): string {
  const { variant, publicUrl, keyPin = '', imageId = '', imageName, bundle = '', source } = facts
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
    VARIANT: variant,
    RECIPE: body.Labels[LABELS.recipe]!,
    CREATE_BODY: JSON.stringify(body),
    BUNDLE: variant === 'systemd' ? bundle : '',
    GIT_URL: variant === 'git' ? (source?.url ?? '') : '',
    GIT_COMMIT: variant === 'git' ? (source?.commit ?? '') : '',
    DTMA_PORT: String(DTMA_PORT),
    FORGET_FIREWALL,
  }
  const text = PARTS.map((name) => readFileSync(partAt(name), 'utf8')).join('')
  return text.replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    if (/['\n]/.test(value)) throw new Error(`${name} does not fit between the quotes of a shell`)
    return value
  })
}
