import type { ContainerCopy, ContainerDetails, ImageDetails } from '../engine/docker.types.ts'
import { LABEL } from '../tools/tool-labels.ts'

/** On the container of a new DTMA: which attempt made it. */
export const ATTEMPT_LABEL = 'dtma.update'
/** What DTMA's image says of itself. */
export const VERSION_LABEL = 'agentopia.dtma.version'
/** Which image the container was made from, where whoever made it writes that down. */
const IMAGE_LABEL = 'agentopia.image'

/** Name of the new container until it has proven itself. */
export const nextNameOf = (name: string): string => `${name}-next`
export const switcherNameOf = (owner: string): string => `dtma-switcher-${owner.slice(0, 12)}`

interface Own {
  readonly container: ContainerDetails
  /** That the container was made from. */
  readonly image: ImageDetails
}

/** The same container with another image: what whoever installed DTMA has given it stays, what its image gave it does not. */
export function successorOf({ container, image }: Own, newImage: string, attempt: string): ContainerCopy {
  const config = container.Config
  const labels = without(config.Labels, image.Config.Labels)
  return {
    Image: newImage,
    User: textOf(config['User']),
    Env: envOf(config).filter((entry) => !image.Config.Env.includes(entry)),
    ...ownCommand(config, image),
    Labels: { ...labels, ...(IMAGE_LABEL in labels ? { [IMAGE_LABEL]: newImage } : {}), [ATTEMPT_LABEL]: attempt },
    StopTimeout: typeof config['StopTimeout'] === 'number' ? config['StopTimeout'] : null,
    HostConfig: container.HostConfig,
  }
}

/** What the switcher needs to know of DTMA's environment. */
const PASSED_ON = /^(?:DOCKER_HOST|DTMA_STATE_DIR|LOG_LEVEL)=/

/** The container that replaces DTMA: the image that is known to work, Docker's socket and the state directory, no network. */
export function switcherOf({ container }: Own, owner: string): ContainerCopy {
  const host = container.HostConfig
  return {
    Image: container.Image,
    User: textOf(container.Config['User']),
    Env: envOf(container.Config).filter((entry) => PASSED_ON.test(entry)),
    Cmd: ['switch'],
    Labels: { [LABEL.owner]: owner },
    StopTimeout: null,
    HostConfig: {
      NetworkMode: 'none',
      Binds: host['Binds'] ?? [],
      Mounts: host['Mounts'] ?? [],
      GroupAdd: host['GroupAdd'] ?? [],
      CapDrop: ['ALL'],
      SecurityOpt: host['SecurityOpt'] ?? [],
      ReadonlyRootfs: true,
      Init: true,
      Memory: 256 * 1024 * 1024,
      // Whatever kills it, and whatever restarts the machine: it goes on where it was.
      RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
    },
  }
}

type Labels = Readonly<Record<string, string>>

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const envOf = (config: ContainerDetails['Config']): readonly string[] => (config['Env'] as string[] | null) ?? []

function without(labels: Labels, ofImage: Labels): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => ofImage[key] !== value))
}

/** A command that is not its image's was somebody's choice. */
function ownCommand(
  config: ContainerDetails['Config'],
  image: ImageDetails,
): Pick<ContainerCopy, 'Entrypoint' | 'Cmd'> {
  const entrypoint = (config['Entrypoint'] as string[] | null) ?? []
  const cmd = (config['Cmd'] as string[] | null) ?? []
  return {
    ...(same(entrypoint, image.Config.Entrypoint) ? {} : { Entrypoint: entrypoint }),
    ...(same(cmd, image.Config.Cmd) ? {} : { Cmd: cmd }),
  }
}

const same = (a: readonly string[], b: readonly string[]): boolean => JSON.stringify(a) === JSON.stringify(b)
