import { isDeepStrictEqual } from 'node:util'
import type { ContainerDetails, CreateBody, EngineInfo, ImageDetails } from '../engine/docker.types.ts'
import { RESERVED_LABEL_PREFIXES } from './tool-labels.ts'

/** Which limits the engine can set at all. */
export type EngineLimits = Pick<EngineInfo, 'SwapLimit' | 'PidsLimit'>

/** Docker fills these in by itself: the operator's runtime, and the standard lists of hidden paths, which must not be empty. */
const FILLED_IN = new Set(['Runtime', 'MaskedPaths', 'ReadonlyPaths'])
const MUST_BE_FILLED = ['MaskedPaths', 'ReadonlyPaths'] as const
const COMPARED_CONFIG = [
  'Hostname',
  'User',
  'Entrypoint',
  'Cmd',
  'WorkingDir',
  'StopSignal',
  'StopTimeout',
  'Tty',
  'OpenStdin',
  'StdinOnce',
] as const satisfies readonly (keyof CreateBody)[]

/**
 * Compares the container that Docker made with the one that was asked for.
 * @returns What differs, by field and without values; nothing: it is the same container.
 */
export function verifyContainer(
  body: CreateBody,
  made: ContainerDetails,
  image: ImageDetails,
  limits: EngineLimits,
): readonly string[] {
  return [
    ...(made.Image === image.Id ? [] : ['Image']),
    ...COMPARED_CONFIG.filter((field) => !same(body[field], made.Config[field])),
    ...wrongHealthcheck(body, made.Config['Healthcheck']),
    ...wrongHostConfig(body, made.HostConfig, limits),
    ...wrongEnv(body.Env, made.Config['Env'], image.Config.Env),
    ...wrongLabels(body.Labels, made.Config['Labels'], image.Config.Labels),
    ...wrongMounts(body, made),
    ...wrongNetworks(body, made),
  ]
}

function wrongHostConfig(body: CreateBody, made: ContainerDetails['HostConfig'], limits: EngineLimits): string[] {
  const asked: Readonly<Record<string, unknown>> = { ...body.HostConfig }
  const fields = [...new Set([...Object.keys(asked), ...Object.keys(made)])].filter((field) => !FILLED_IN.has(field))
  const wrong = fields.filter((field) => !same(asked[field], made[field]) && !isUnlimitable(field, limits))
  const empty = MUST_BE_FILLED.filter((field) => isEmpty(made[field]))
  return [...wrong, ...empty].map((field) => `HostConfig.${field}`)
}

/** Docker drops a limit, with a warning, that the kernel cannot set. */
const isUnlimitable = (field: string, { SwapLimit, PidsLimit }: EngineLimits): boolean =>
  (field === 'MemorySwap' && !SwapLimit) || (field === 'PidsLimit' && !PidsLimit)

/** Docker fills in the pace of the image's own check, which nothing is done with where the test is `NONE`. */
const wrongHealthcheck = ({ Healthcheck }: CreateBody, made: unknown): string[] =>
  same(Healthcheck.Test, (made as { readonly Test?: unknown } | null | undefined)?.Test) ? [] : ['Healthcheck']

/** Every variable is as asked; what is more comes from the image. */
function wrongEnv(asked: readonly string[], made: unknown, image: readonly string[]): string[] {
  const names = new Set(asked.map(nameOf))
  const expected = new Set([...asked, ...image.filter((entry) => !names.has(nameOf(entry)))])
  return same([...expected].sort(), [...(made as readonly string[])].sort()) ? [] : ['Env']
}

const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? ''

function wrongLabels(asked: CreateBody['Labels'], made: unknown, image: Readonly<Record<string, string>>): string[] {
  const expected = { ...image, ...asked }
  const reserved = Object.keys(expected).filter(
    (key) => RESERVED_LABEL_PREFIXES.some((prefix) => key.startsWith(prefix)) && asked[key] === undefined,
  )
  return same(expected, made) && reserved.length === 0 ? [] : ['Labels']
}

/** Nothing is mounted but what the body mounts; a tmpfs is no mount in this list. */
function wrongMounts({ HostConfig: { Mounts } }: CreateBody, made: ContainerDetails): string[] {
  const expected = Mounts.map(({ Source, Target }) => `${Source} ${Target}`)
  const actual = made.Mounts.filter(({ Type }) => Type !== 'tmpfs').map(
    ({ Name, Destination }) => `${Name} ${Destination}`,
  )
  return same(expected, actual) ? [] : ['Mounts']
}

/** A container that runs is in the one network that it was made for. */
function wrongNetworks(
  { HostConfig: { NetworkMode } }: CreateBody,
  { State, NetworkSettings }: ContainerDetails,
): string[] {
  return !State.Running || same([NetworkMode], Object.keys(NetworkSettings.Networks)) ? [] : ['Networks']
}

/** Docker says "nothing" in many ways: null, an empty list, an empty text, zero, false. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  (Array.isArray(value) && value.every(isEmpty)) ||
  (typeof value === 'object' && Object.values(value).every(isEmpty))

/** Leaves out of objects, at any depth, what is empty: Docker's answers do so here and there. */
const compact = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(compact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => !isEmpty(inner))
      .map(([key, inner]) => [key, compact(inner)]),
  )
}

const same = (asked: unknown, made: unknown): boolean =>
  (isEmpty(asked) && isEmpty(made)) || isDeepStrictEqual(compact(asked), compact(made))
