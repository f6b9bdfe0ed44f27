import type { Check } from '../contract/event.ts'
import type { DockerState, DtmaStatus, Isolation } from '../contract/status.ts'

/** What is looked at beside the status. */
export interface Looks {
  /** Why the state directory cannot be written; `undefined`: it can. */
  readonly stateFailure: string | undefined
  readonly stateDirectory: string
  /** Why the runner image is not to be had; `undefined`: it is here. */
  readonly runnerFailure: string | undefined
  /** Of those that are not the public ones: where they are, and why they do not answer. */
  readonly indexes: readonly { readonly address: string; readonly failure: string | undefined }[]
  /** `undefined`: DTMA reports to nobody. */
  readonly controlPlane: { readonly address: string; readonly heard: boolean } | undefined
  /** Milliseconds since the epoch, by this machine. */
  readonly now: number
}

/** This was written then: a clock that says less is wrong. */
const NOT_BEFORE = Date.parse('2026-11-01T00:00:00Z')

const SHARE_LEFT = 0.05
const LEAST_BYTES_LEFT = 1 << 30

/** Everything that DTMA depends on, looked at; each check is one sentence and, when it fails, the way out. */
export function diagnosticsOf({ docker, system, tools }: DtmaStatus, looks: Looks): Check[] {
  const { stateFailure, runnerFailure, controlPlane, indexes } = looks
  const unreached = indexes.filter(({ failure }) => failure !== undefined)
  const free = system.diskBytes - system.diskUsedBytes
  const least = Math.min(LEAST_BYTES_LEFT, system.diskBytes * SHARE_LEFT)
  const memoryFree = system.memoryBytes - system.memoryUsedBytes
  const { isolation } = docker
  const unwell = tools.filter(({ desired, state }) => desired === 'running' && state !== 'running')

  return [
    check(
      'docker',
      docker.state === 'ok' && docker.confinement?.seccomp !== 'none',
      docker.version === undefined
        ? `Docker is ${docker.state}: ${docker.message}`
        : `Docker ${docker.version} answers${confinementIn(docker)}`,
      dockerFix(docker),
    ),
    check(
      'state-directory',
      stateFailure === undefined,
      stateFailure === undefined
        ? `${looks.stateDirectory} can be written`
        : `${looks.stateDirectory} cannot be used: ${stateFailure}`,
      'Free disk space, or make the directory writable for the user of DTMA.',
    ),
    check(
      'disk-space',
      free >= least,
      `${gibOf(free)} of ${gibOf(system.diskBytes)} GiB are free`,
      'Remove tools or images that are not needed, or enlarge the disk.',
    ),
    check(
      'memory',
      memoryFree >= system.memoryBytes * SHARE_LEFT,
      `${gibOf(memoryFree)} of ${gibOf(system.memoryBytes)} GiB are free`,
      'Stop tools, lower their memory, or use a larger machine.',
    ),
    check(
      'clock',
      looks.now >= NOT_BEFORE,
      `It is ${new Date(looks.now).toISOString()} here`,
      'Set the clock of the toolbox; certificates are refused otherwise.',
    ),
    check(
      'runner-image',
      runnerFailure === undefined,
      runnerFailure ?? 'The image that npm packages are built on is here',
      'Load the DTMA image into Docker, or set DTMA_RUNNER_IMAGE to an image with Node and npm.',
    ),
    check(
      'package-indexes',
      unreached.length === 0,
      unreached.length === 0
        ? `Packages come from ${indexes.map(({ address }) => address).join(' and ') || 'the public registries'}`
        : unreached.map(({ address, failure }) => `${address} does not answer: ${failure}`).join('; '),
      'Correct NPM_REGISTRY or PYPI_INDEX of the control plane, or let this machine reach them. Tools that run already need neither.',
    ),
    check(
      'isolation',
      isolation?.state === 'ok' && (isolation.firewall ?? FIREWALL_NOT_NEEDED).state === 'ok',
      isolationIn(isolation),
      isolationFix(isolation),
    ),
    controlPlane === undefined
      ? { id: 'control-plane', ok: true, finding: 'DTMA reports to nobody' }
      : check(
          'control-plane',
          controlPlane.heard,
          `${controlPlane.address} ${controlPlane.heard ? 'hears' : 'does not hear'} this DTMA`,
          'Check the address AGENTOPIA_API_BASE_URL, name resolution and the way out of this machine; read GET /logs.',
        ),
    check(
      'tools',
      unwell.length === 0,
      unwell.length === 0
        ? `${tools.length} tools are as they are wanted`
        : `Not running: ${unwell.map(({ name, reason, state }) => `${name} (${reason ?? state})`).join(', ')}`,
      'Read the status and the log of each: the reason says what it waits for.',
    ),
  ]
}

function dockerFix({ state }: DockerState): string {
  if (state === 'ok')
    return "Take `seccomp-profile: unconfined` out of Docker's configuration, or use a kernel and a Docker with seccomp, and restart Docker."
  if (state === 'hung') return 'Restart Docker on the toolbox; tools are found again as they are.'
  return 'Start Docker on the toolbox, and let DTMA use its socket.'
}

function confinementIn({ confinement }: DockerState): string {
  if (!confinement) return ''
  const { seccomp, module } = confinement
  const filter = { default: 'filters', other: 'filters by a profile of this machine', none: 'does not filter' }[seccomp]
  const named = { apparmor: 'AppArmor', selinux: 'SELinux', none: 'no security module of the kernel' }[module]
  return `, ${filter} the system calls of containers, and uses ${named}`
}

const FIREWALL_NOT_NEEDED = { state: 'ok' } as const

function isolationFix(isolation: Isolation | undefined): string {
  if (isolation?.state === 'ok' && isolation.firewall?.state === 'unavailable')
    return 'Tools run on networks that lead nowhere. For a second barrier, use a kernel with nftables and an image with Perl (DTMA_RUNNER_IMAGE).'
  if (isolation?.state === 'ok')
    return 'Tools with a network are held back until the rules are back. Look for whoever takes them away (`nft monitor`), and read GET /logs.'
  return 'Tools with a network are held back. Look for whoever joined containers to networks named dtma-*, and restart DTMA.'
}

function isolationIn(isolation: Isolation | undefined): string {
  if (!isolation || isolation.state === 'unproven') return 'The probe has not come to an end yet'
  if (isolation.state === 'failed') return `A tool could reach: ${isolation.leaks.join(', ')}`
  const { firewall } = isolation
  if (firewall && firewall.state !== 'ok')
    return `Since ${firewall.since} the firewall of the tools is ${firewall.state}: ${firewall.message}`
  return `At ${isolation.checkedAt} a tool could reach nothing that it must not`
}

const check = (id: Check['id'], ok: boolean, finding: string, fix: string): Check =>
  ok ? { id, ok, finding } : { id, ok, finding, fix }

const gibOf = (bytes: number): string => (bytes / 2 ** 30).toFixed(1)
