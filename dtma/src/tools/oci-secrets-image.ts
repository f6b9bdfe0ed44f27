import { createHash } from 'node:crypto'
import { COLLECT_NODE_SCRIPT, OCI_SECRETS_DIRECTORY, OCI_SECRETS_SCRIPT } from './oci-secrets.script.ts'
import type { PackageRecipe } from './package-image.ts'
import { ToolFailure } from './tool-failure.ts'

/**
 * The image of a tool that takes secrets, made of one that was pulled or loaded: the same, with what takes them beside it.
 * Nothing of the image runs for that, and its command, directory and variables stay.
 * @param image Id of the image.
 * @param base  Id of the runner base image; it has Node.
 */
export function ociRecipe(image: string, base: string): PackageRecipe {
  const files = {
    Dockerfile: dockerfileOf(image, base),
    'collect-node.mjs': COLLECT_NODE_SCRIPT,
    'with-secrets.mjs': OCI_SECRETS_SCRIPT,
  }
  const digest = createHash('sha256').update(JSON.stringify(files)).digest('hex')
  return { tag: `agentopia-tool/with-secrets:${digest.slice(0, 24)}`, files }
}

const dockerfileOf = (image: string, base: string): string => `FROM ${base} AS runner
USER 0:0
WORKDIR /collected
COPY collect-node.mjs /collect-node.mjs
RUN node /collect-node.mjs /collected
COPY with-secrets.mjs ./with-secrets.mjs
FROM ${image}
COPY --from=runner /collected ${OCI_SECRETS_DIRECTORY}
`

const DISK_FULL = /ENOSPC|no space left/i

/** Names why it was not made, from the end of the output. */
export function ociFailureOf(output: string): ToolFailure {
  if (DISK_FULL.test(output)) return new ToolFailure('disk_full', 'The disk is full: the image does not fit')
  const last = output.split('\n').findLast((line) => line.trim() !== '') ?? 'no output'
  return new ToolFailure('build_failed', `The image cannot be made to take secrets: ${last.slice(0, 300)}`)
}
