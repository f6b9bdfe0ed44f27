import { registryOf } from '../contract/tool-package.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ProgressLine } from '../engine/docker.types.ts'
import { EngineError, faultOfMessage } from '../engine/engine-error.ts'
import { type RegistryCredential, registryAuthOf, repositoryOf } from '../engine/registry-auth.ts'
import type { ImageSources } from './image-sources.ts'
import { createPullProgress, type Progress } from './pull-progress.ts'
import { ToolFailure, toolFailureOf } from './tool-failure.ts'

export interface PullDeps {
  readonly docker: Pick<DockerApi, 'resolveImage' | 'pullImage'>
  readonly sources: Pick<ImageSources, 'credential'>
}

const ASKING: Progress = { step: 'Asking the registry' }

/**
 * Pulls an image by its digest, and looks the digest up before when it is named by a tag: no tag of this machine is moved.
 * @returns `repository@sha256:<hex>`
 * @throws {ToolFailure} Whatever the registry, the network or the disk has against it.
 */
export async function pullImage(
  { docker, sources }: PullDeps,
  image: string,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<string> {
  const registry = registryOf(image)
  report(ASKING)
  const credential = await sources.credential(registry, signal)
  const auth = credential && registryAuthOf(registry, credential)
  const failed = (line: ProgressLine, cause?: EngineError) => pullFailureOf(line, image, credential, cause)
  try {
    const reference = image.includes('@')
      ? image
      : `${repositoryOf(image)}@${await docker.resolveImage(image, auth, signal)}`
    const progress = createPullProgress()
    let last = ''
    for await (const line of docker.pullImage(reference, auth, signal)) {
      if (line.error !== undefined) throw failed(line)
      const now = progress(line)
      // Docker reports each layer ten times a second: pass on what a person would notice.
      if (JSON.stringify(now) !== last) report(now)
      last = JSON.stringify(now)
    }
    return reference
  } catch (error) {
    throw error instanceof EngineError ? failed({ error: error.message }, error) : error
  }
}

function pullFailureOf(
  { error = '' }: ProgressLine,
  image: string,
  credential: RegistryCredential | undefined,
  cause?: EngineError,
): ToolFailure {
  const options = { cause }
  const fault = faultOfMessage(error) ?? cause?.fault
  const where = image.replace(/@.*/, '')
  if (fault === 'not-found') {
    const what = image.includes('@') ? `${where} of this digest` : where
    return new ToolFailure('image_not_found', `No registry has ${what}`, { ...options, lasting: true })
  }
  if (fault === 'auth') {
    const why = credential ? `to ${credential.username}` : 'to whoever has no credentials there'
    return new ToolFailure('image_auth', `The registry refuses to give out ${where} ${why}`, {
      ...options,
      lasting: true,
    })
  }
  if (fault === 'disk-full') return new ToolFailure('disk_full', `The disk is full: ${where} does not fit`, options)
  if (fault === 'busy')
    return new ToolFailure(
      'registry_unreachable',
      `The registry of ${where} is asked too often, and says: later`,
      options,
    )
  if (fault === 'altered')
    return new ToolFailure('image_invalid', `What the registry sent as ${where} is not what its digest names`, {
      ...options,
      lasting: true,
    })
  if (fault === 'no-such-platform')
    return new ToolFailure('image_invalid', `${where} was not made for a machine like this toolbox`, {
      ...options,
      lasting: true,
    })
  if (fault === 'untrusted')
    return new ToolFailure(
      'registry_unreachable',
      `The registry of ${where} shows a certificate that is not trusted`,
      options,
    )
  if (fault === 'unreachable' || fault === 'hung')
    return new ToolFailure('registry_unreachable', `The registry of ${where} does not answer`, options)
  const text = credential ? error.replaceAll(credential.password, '***') : error
  return cause ? toolFailureOf(cause) : new ToolFailure('internal', `${where}: ${text.slice(0, 300)}`, options)
}
