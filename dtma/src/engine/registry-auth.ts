import { DOCKER_HUB } from '../contract/tool-package.ts'

/** What a registry knows somebody by. */
export interface RegistryCredential {
  readonly username: string
  readonly password: string
}

/** Docker's own name for it, in what it is told and nowhere else. */
const DOCKER_HUB_SERVER = `https://index.${DOCKER_HUB}/v1/`

/** The repository of a reference, without tag or digest. */
export const repositoryOf = (reference: string): string =>
  reference.replace(/@sha256:[0-9a-f]{64}$/, '').replace(/:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, '')

/** The header `X-Registry-Auth` of a pull: base64 of the URL alphabet, padded. */
export function registryAuthOf(registry: string, { username, password }: RegistryCredential): string {
  const serveraddress = registry === DOCKER_HUB ? DOCKER_HUB_SERVER : registry
  const text = Buffer.from(JSON.stringify({ username, password, serveraddress })).toString('base64')
  return text.replaceAll('+', '-').replaceAll('/', '_')
}
