import { containersApi } from './containers.api.ts'
import { EngineInfo } from './docker.types.ts'
import { createEngineCalls, DEADLINE, type EngineCalls } from './engine.calls.ts'
import type { EngineHttp } from './engine.http.ts'
import { imagesApi } from './images.api.ts'
import { networksApi } from './networks.api.ts'

/**
 * The calls of the Docker Engine API that DTMA makes, and no other. Whose container a name means is the caller's business.
 * Removing what is gone, starting what runs and stopping what is stopped succeed.
 * @throws {EngineError} From every method, with the fault named; or the reason of `signal`.
 */
export type DockerApi = ReturnType<typeof createDockerApi>

export function createDockerApi(http: EngineHttp) {
  const calls = createEngineCalls(http)
  return Object.assign(engineApi(calls), containersApi(calls), imagesApi(calls), networksApi(calls))
}

const engineApi = ({ ask, version }: EngineCalls) => ({
  version,
  info(signal: AbortSignal) {
    const call = { what: 'ask Docker about itself', method: 'GET', path: '/info' } as const
    return ask(EngineInfo, { ...call, deadlineMs: DEADLINE.read }, signal)
  },
})
