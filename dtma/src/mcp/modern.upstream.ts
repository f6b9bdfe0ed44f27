import { envelopeOf, META_KEY, metaOf, type RequestClient } from '../contract/mcp.ts'
import type { Capability } from '../contract/tool.ts'
import { clientInfoOf } from './handshake.ts'
import { argumentHeaders } from './modern-headers.ts'
import type { Upstream, UpstreamRequest } from './upstream.ts'

interface ModernDeps {
  readonly version: string
  readonly capabilityOf: (name: unknown) => Capability | undefined
}

/** Nobody who could be asked. */
const NOBODY: RequestClient = { capabilities: {}, logLevel: undefined }

export interface ModernUpstream extends Upstream {
  request(request: UpstreamRequest, client?: RequestClient): ReturnType<Upstream['request']>
}

/** Says with every request what the modern revision wants said: for whom it is made, and that we carry it. */
export const modernUpstream = (upstream: Upstream, { version, capabilityOf }: ModernDeps): ModernUpstream => ({
  ...upstream,
  request(request, client = NOBODY) {
    const { method, params } = request
    const _meta = { ...metaOf(params), ...envelopeOf(client), [META_KEY.clientInfo]: clientInfoOf(version) }
    const headers =
      method === 'tools/call' ? argumentHeaders(capabilityOf(params?.['name']), params?.['arguments']) : undefined
    return upstream.request({ ...request, params: { ...params, _meta }, ...(headers ? { headers } : {}) })
  },
})
