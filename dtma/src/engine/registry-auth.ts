/** What a registry knows somebody by. */
export interface RegistryCredential {
  readonly username: string
  readonly password: string
}

/** Of the public registry that a reference without a host means. */
const DOCKER_HUB = 'docker.io'
/** Docker's own name for it, in what it is told and nowhere else. */
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/'

/** Host, with its port when it has one, of the registry that a reference speaks of: as Docker reads it. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : DOCKER_HUB
}

/** The repository of a reference, without tag or digest. */
export const repositoryOf = (reference: string): string =>
  reference.replace(/@sha256:[0-9a-f]{64}$/, '').replace(/:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, '')

/** The header `X-Registry-Auth` of a pull: base64 of the URL alphabet, padded. */
export function registryAuthOf(registry: string, { username, password }: RegistryCredential): string {
  const serveraddress = registry === DOCKER_HUB ? DOCKER_HUB_SERVER : registry
  const text = Buffer.from(JSON.stringify({ username, password, serveraddress })).toString('base64')
  return text.replaceAll('+', '-').replaceAll('/', '_')
}
